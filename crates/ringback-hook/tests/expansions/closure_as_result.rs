#[hook]
async fn longer_than(text: &str) -> impl Fn(&str) -> bool + use<'_> {
    move |other| other.len() > text.len()
}

// ---- becomes ----

fn longer_than<'__hook>(
    text: &'__hook str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = impl Fn(&str) -> bool + use<'__hook>,
        > + ::core::marker::Send + '__hook,
    >,
> {
    let __expected = ::ringback::__private::Expected::new();
    if let ::core::option::Option::Some(__result) = __expected.future() {
        return __result;
    }
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            _,
        > {
            return __result;
        }
        let _ = &text;
        #[allow(clippy::diverging_sub_expression)]
        let __result: _ = {
            #[allow(unreachable_code)]
            __expected
                .is({
                    #[allow(unused_braces)] { move |other| other.len() > text.len() }
                })
        };
        #[allow(unreachable_code)] __result
    })
}
