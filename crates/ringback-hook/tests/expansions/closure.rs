hook!(async move |message: &Message, mut count: usize| {
    count += 1;
    message.length + count
})

// ---- becomes ----

const HOOK: Handler = move |
    message: &Message,
    count: usize,
| -> ::core::pin::Pin<
    ringback::__private::Box<
        dyn ::core::future::Future<Output = _> + ::core::marker::Send + '_,
    >,
> {
    ringback::__private::Box::pin(async move {
        let _ = &count;
        let _ = &message;
        #[allow(clippy::shadow_same)]
        let mut count = count;
        #[allow(clippy::diverging_sub_expression)]
        let __result: _ = {
            count += 1;
            message.length + count
        };
        #[allow(unreachable_code)] __result
    })
};
