#[hook(slot)]
/// Documented.
#[tracing::instrument]
async unsafe fn read(device: &mut Device, bytes: &mut [u8]) -> std::io::Result<usize> {
    unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
}

// ---- becomes ----

/// Documented.
#[tracing::instrument]
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
    ::ringback::__private::Box::pin(async move {
        if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
            std::io::Result<usize>,
        > {
            return __result;
        }
        let _ = &bytes;
        let _ = &device;
        let __result: std::io::Result<usize> = {
            unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
        };
        #[allow(unreachable_code)] __result
    })
}
/// Documented.
#[tracing::instrument]
unsafe fn read_slot<'__hook>(
    __slot: &'__hook mut ::ringback::FutureSlot,
    device: &'__hook mut Device,
    bytes: &'__hook mut [u8],
) -> ::ringback::SlotFuture<'__hook, std::io::Result<usize>> {
    __slot
        .put(async move {
            if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<
                std::io::Result<usize>,
            > {
                return __result;
            }
            let _ = &bytes;
            let _ = &device;
            let __result: std::io::Result<usize> = {
                unsafe { device.read_into(bytes.as_mut_ptr(), bytes.len()).await }
            };
            #[allow(unreachable_code)] __result
        })
}
