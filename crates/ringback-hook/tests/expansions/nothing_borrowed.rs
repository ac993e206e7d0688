#[hook]
async fn add(one: i32, other: i32) {
    println!("{}", one + other);
}

// ---- becomes ----

fn add(
    one: i32,
    other: i32,
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<Output = ()> + ::core::marker::Send,
    >,
> {
    ::ringback::__private::Box::pin(async move {
        let _ = &other;
        let _ = &one;
        #[allow(clippy::diverging_sub_expression)]
        let __result: () = {
            println!("{}", one + other);
        };
        #[allow(unreachable_code)] __result
    })
}
