#[hook]
async fn pick<'a>(list: &'a [String], key: &str) -> &'a str {
    find(list, key).await
}

// ---- becomes ----

fn pick<'a>(
    list: &'a [String],
    key: &'a str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = &'a str> + ::core::marker::Send + 'a,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            &'a str,
        > {
            return __result;
        }
        let _ = &key;
        let _ = &list;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: &'a str = { find(list, key).await };
        #[allow(unreachable_code)] __result
    })
}
