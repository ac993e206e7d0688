#[hook]
async fn all(by_value: impl Tr<'_>, words: &mut impl Iterator<Item = &str>, kept: impl Tr + 'static) {
    use_all(by_value, words, kept).await
}

// ---- becomes ----

fn all<'__hook, '__hook_impl0>(
    by_value: impl '__hook + Tr<'__hook>,
    words: &'__hook mut impl Iterator<Item = &'__hook_impl0 str>,
    kept: impl Tr + 'static,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = ()> + ::core::marker::Send + '__hook,
    >,
> {
    ::ringback::__private::Box::pin(async move {
        let _ = &kept;
        let _ = &words;
        let _ = &by_value;
        #[allow(clippy::diverging_sub_expression)]
        let __result: () = { use_all(by_value, words, kept).await };
        #[allow(unreachable_code)] __result
    })
}
