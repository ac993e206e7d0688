hook!(?Send, async |text: &str| -> Result<i32, ParseIntError> { Ok(text.parse::<i32>()?) })

// ---- becomes ----

const HOOK: Handler = move |
    text: &str,
| -> ::core::pin::Pin<
    ringback::__private::Box<
        dyn ::core::future::Future<Output = Result<i32, ParseIntError>> + '_,
    >,
> {
    ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            Result<i32, ParseIntError>,
        > {
            return __result;
        }
        let _ = &text;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: Result<i32, ParseIntError> = { Ok(text.parse::<i32>()?) };
        #[allow(unreachable_code)] __result
    })
};
