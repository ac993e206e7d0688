#[hook]
async fn longer(one: &str, other: &str) -> &str {
    one
}

// ---- becomes ----

fn longer(
    one: &str,
    other: &str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = &str> + ::core::marker::Send,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            &str,
        > {
            return __result;
        }
        let _ = &other;
        let _ = &one;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: &str = { one };
        #[allow(unreachable_code)] __result
    })
}
