// SPDX-License-Identifier: MIT OR Apache-2.0

//! The program: on a Cortex-M its timer interrupts, on the host a thread plays the interrupt.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board {
    extern crate alloc;

    use core::panic::PanicInfo;
    use cortex_m::peripheral::syst::SystClkSource;
    use cortex_m_rt::{entry, exception};
    use cortex_m_semihosting::{debug, hprintln};
    use embedded_alloc::LlffHeap as Heap;

    #[global_allocator]
    static HEAP: Heap = Heap::empty();

    #[entry]
    fn main() -> ! {
        const SIZE: usize = 64 * 1024;
        static mut MEMORY: [u8; SIZE] = [0; SIZE];
        // SAFETY: once, before the first allocation.
        unsafe { HEAP.init((&raw mut MEMORY).addr(), SIZE) }
        let mut timer = cortex_m::Peripherals::take().expect("taken once").SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(4_000);
        timer.clear_current();
        timer.enable_counter();
        timer.enable_interrupt();
        hprintln!("{} rounds on bare metal", ringback_bare::run(1000));
        debug::exit(debug::EXIT_SUCCESS);
        loop {}
    }

    #[exception]
    fn SysTick() {
        ringback_bare::tick();
    }

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        hprintln!("{}", info);
        debug::exit(debug::EXIT_FAILURE);
        loop {}
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    use std::sync::atomic::{AtomicBool, Ordering::*};
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(1); // the threads below call for ever
    }));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    ringback_bare::tick();
                }
            });
        }
        println!("{} rounds on the host", ringback_bare::run(2000));
        stop.store(true, SeqCst);
    });
}
