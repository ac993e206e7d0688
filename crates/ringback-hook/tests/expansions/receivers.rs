#[hook(Sync)]
async fn stop(self: Arc<Self>, reason: &str) -> bool {
    self.stop_now(reason).await
}

// ---- becomes ----

fn stop<'__hook>(
    self: Arc<Self>,
    reason: &'__hook str,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = bool,
        > + ::core::marker::Send + ::core::marker::Sync + '__hook,
    >,
>
where
    Self: '__hook,
{
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            bool,
        > {
            return __result;
        }
        let _ = &reason;
        let _ = &self;
        #[allow(clippy::diverging_sub_expression)]
        let __result: bool = { self.stop_now(reason).await };
        #[allow(unreachable_code)] __result
    })
}
