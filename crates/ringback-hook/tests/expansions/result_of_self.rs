#[hook]
async fn new(value: T) -> Self {
    Maker { value }
}

// ---- becomes ----

fn new<'__hook>(
    value: T,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = Self> + ::core::marker::Send + '__hook,
    >,
>
where
    Self: '__hook,
{
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            Self,
        > {
            return __result;
        }
        let _ = &value;
        #[allow(clippy::diverging_sub_expression)]
        let __result: Self = { Maker { value } };
        #[allow(unreachable_code)] __result
    })
}
