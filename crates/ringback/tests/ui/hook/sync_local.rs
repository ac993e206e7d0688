use ringback::hook;

#[hook(?Send, Sync, slot)]
async fn in_a_slot() {}

#[hook(Sync, stack = 64, ?Send)]
async fn in_itself() {}

fn main() {}
