#[hook]
async fn sum(
    before: &mut Total,
    (one, _): (i32, i32),
    #[cfg(feature = "more")] mut more: i32,
    #[allow(unused_variables)] [first, .., last]: [i32; 4],
    _: Guard,
) -> i32 {
    one + last
}

// ---- becomes ----

fn sum<'__hook>(
    before: &'__hook mut Total,
    __argument1: (i32, i32),
    #[cfg(feature = "more")]
    more: i32,
    __argument3: [i32; 4],
    __argument4: Guard,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = i32> + ::core::marker::Send + '__hook,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            i32,
        > {
            return __result;
        }
        let _ = &__argument4;
        let _ = &__argument3;
        #[cfg(feature = "more")]
        let _ = &more;
        let _ = &__argument1;
        let _ = &before;
        let (one, _) = __argument1;
        #[cfg(feature = "more")]
        #[allow(clippy::shadow_same)]
        let mut more = more;
        let __argument3 = __argument3;
        #[allow(unused_variables)]
        let [first, .., last] = __argument3;
        let __argument4 = __argument4;
        #[allow(clippy::diverging_sub_expression)]
        let __result: i32 = { one + last };
        #[allow(unreachable_code)] __result
    })
}
