use ringback::hook;

struct Message(String);

#[hook]
impl Message {
    async fn length(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
