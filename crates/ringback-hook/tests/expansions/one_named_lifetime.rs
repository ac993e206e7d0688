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
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            &'a str,
        > {
            return __result;
        }
        let _ = &key;
        let _ = &list;
        let __result: &'a str = { find(list, key).await };
        #[allow(unreachable_code)] __result
    })
}
