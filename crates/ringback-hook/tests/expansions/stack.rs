#[hook(stack = 2 * SMALL, crate = my::callbacks)]
async extern "C" fn tick(clock: &Clock) -> u64 {
    clock.now().await
}

// ---- becomes ----

#[allow(improper_ctypes_definitions)]
extern "C" fn tick<'__hook>(
    clock: &'__hook Clock,
) -> my::callbacks::StackFuture<'__hook, u64, { 2 * SMALL }> {
    #[allow(clippy::async_yields_async)]
    my::callbacks::StackFuture::new(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            u64,
        > {
            return __result;
        }
        let _ = &clock;
        #[allow(clippy::diverging_sub_expression)]
        let __result: u64 = { clock.now().await };
        #[allow(unreachable_code)] __result
    })
}
