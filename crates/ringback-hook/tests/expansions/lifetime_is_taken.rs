#[hook]
async fn both<'__hook, '__hook1>(one: &'__hook str, other: &'__hook1 str) -> &'__hook str {
    longer(one, other).await
}

// ---- becomes ----

fn both<'__hook2, '__hook: '__hook2, '__hook1: '__hook2>(
    one: &'__hook str,
    other: &'__hook1 str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = &'__hook str,
        > + ::core::marker::Send + '__hook2,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            &'__hook str,
        > {
            return __result;
        }
        let _ = &other;
        let _ = &one;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: &'__hook str = { longer(one, other).await };
        #[allow(unreachable_code)] __result
    })
}
