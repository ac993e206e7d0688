#[hook]
async fn all(view: View<'_>, words: &[&str], it: Box<dyn Tr + '_>, text: &'static str, f: fn(&u8) -> &u8) {
    body!(view, words, it, text, f)
}

// ---- becomes ----

fn all<'__hook>(
    view: View<'__hook>,
    words: &'__hook [&str],
    it: Box<dyn Tr + '__hook>,
    text: &'static str,
    f: fn(&u8) -> &u8,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = ()> + ::core::marker::Send + '__hook,
    >,
> {
    ::ringback::__private::Box::pin(async move {
        let _ = &f;
        let _ = &text;
        let _ = &it;
        let _ = &words;
        let _ = &view;
        #[allow(clippy::diverging_sub_expression)]
        let __result: () = { body!(view, words, it, text, f) };
        #[allow(unreachable_code)] __result
    })
}
