#[hook(slot)]
/// Documented.
#[inline]
async unsafe fn read(device: &mut Device, bytes: &mut [u8]) -> std::io::Result<usize> {
    unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
}

// ---- becomes ----

/// Documented.
#[inline]
#[allow(dead_code)]
unsafe fn read<'__hook>(
    device: &'__hook mut Device,
    bytes: &'__hook mut [u8],
) -> ::core::pin::Pin<
    ::ringback::__private::Box<
        dyn ::core::future::Future<
            Output = std::io::Result<usize>,
        > + ::core::marker::Send + '__hook,
    >,
> {
    #[allow(clippy::async_yields_async)]
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            std::io::Result<usize>,
        > {
            return __result;
        }
        let _ = &bytes;
        let _ = &device;
        #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
        let __result: std::io::Result<usize> = {
            unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
        };
        #[allow(unreachable_code)] __result
    })
}
/// Documented.
#[inline]
#[allow(dead_code)]
unsafe fn read_slot<'__hook>(
    __slot: &'__hook mut ::ringback::FutureSlot,
    device: &'__hook mut Device,
    bytes: &'__hook mut [u8],
) -> ::ringback::SlotFuture<'__hook, std::io::Result<usize>> {
    #[allow(clippy::async_yields_async)]
    __slot
        .put(async move {
            if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
                std::io::Result<usize>,
            > {
                return __result;
            }
            let _ = &bytes;
            let _ = &device;
            #[allow(clippy::diverging_sub_expression, clippy::type_complexity)]
            let __result: std::io::Result<usize> = {
                unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
            };
            #[allow(unreachable_code)] __result
        })
}
