#[hook]
async fn exact<'a, 'b>(list: &'a [String], key: &'b str, more: &str) -> &'a str {
    find(list, key, more).await
}

// ---- becomes ----

fn exact<'__hook, 'a: '__hook, 'b: '__hook>(
    list: &'a [String],
    key: &'b str,
    more: &'__hook str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = &'a str> + ::core::marker::Send + '__hook,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            &'a str,
        > {
            return __result;
        }
        let _ = &more;
        let _ = &key;
        let _ = &list;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: &'a str = { find(list, key, more).await };
        #[allow(unreachable_code)] __result
    })
}
