#[hook]
async fn name(&self, _: usize) -> Option<&str> {
    self.name.as_deref()
}

// ---- becomes ----

fn name<'__hook>(
    &'__hook self,
    __argument1: usize,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = Option<&'__hook str>,
        > + ::core::marker::Send + '__hook,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            Option<&'__hook str>,
        > {
            return __result;
        }
        let _ = &__argument1;
        let _ = &self;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: Option<&'__hook str> = { self.name.as_deref() };
        #[allow(unreachable_code)] __result
    })
}
