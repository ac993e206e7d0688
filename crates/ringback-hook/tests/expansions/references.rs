#[hook]
pub async fn handle(ctx: &Context, message: &Message) -> Result<usize, Error> {
    ctx.send(message).await?;
    Ok(message.length)
}

// ---- becomes ----

pub fn handle<'__hook>(
    ctx: &'__hook Context,
    message: &'__hook Message,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = Result<usize, Error>,
        > + ::core::marker::Send + '__hook,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            Result<usize, Error>,
        > {
            return __result;
        }
        let _ = &message;
        let _ = &ctx;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: Result<usize, Error> = {
            ctx.send(message).await?;
            Ok(message.length)
        };
        #[allow(unreachable_code)] __result
    })
}
