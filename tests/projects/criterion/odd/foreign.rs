//! A bench without any known harness.

fn main() {
    println!("all is well");
}
