#[hook]
async fn all<T, U: 'static, V: Sync>(t: T, u: U, v: &V, i: impl Iterator<Item = T>) -> impl Display
where
    T: Display + Send,
{
    both(t, u, v, i).await
}

// ---- becomes ----

fn all<'__hook, T, U: 'static, V: Sync>(
    t: T,
    u: U,
    v: &'__hook V,
    i: impl '__hook + Iterator<Item = T>,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = impl Display,
        > + ::core::marker::Send + '__hook,
    >,
>
where
    T: '__hook,
    T: Display + Send,
{
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            _,
        > {
            return __result;
        }
        let _ = &i;
        let _ = &v;
        let _ = &u;
        let _ = &t;
        #[allow(clippy::diverging_sub_expression)]
        let __result: _ = { both(t, u, v, i).await };
        #[allow(unreachable_code)] __result
    })
}
