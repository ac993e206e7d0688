#[hook(?Send)]
async fn serve(port: u16) -> ! {
    loop {
        accept(port).await;
    }
}

// ---- becomes ----

fn serve(
    port: u16,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = <fn() -> ! as ::ringback::__private::Returns>::Output,
        >,
    >,
> {
    ::ringback::__private::Box::pin(async move {
        let _ = &port;
        #[allow(clippy::diverging_sub_expression)]
        let __result: <fn() -> ! as ::ringback::__private::Returns>::Output = {
            loop {
                accept(port).await;
            }
        };
        #[allow(unreachable_code)] __result
    })
}
