// The outcome of a task is lent to the foreign side, so it must be plain data.
ringback::callback_type! {
    struct Fetch: async fn(id: u32) -> Box<u8>
}

fn main() {}
