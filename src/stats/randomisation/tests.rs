use super::*;

fn block(base: &[f64], head: &[f64]) -> Vec<(bool, f64)> {
    base.iter().map(|y| (false, *y)).chain(head.iter().map(|y| (true, *y))).collect()
}

#[test]
fn one_block_with_head_wholly_above_base_has_one_deal_in_twenty() {
    let blocks = DealtBlocks::new(&[block(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0])]).unwrap();
    assert!((greater(&blocks, 0.0) - 0.05).abs() < 1e-15);
    assert_eq!(less(&blocks, 0.0), 1.0);
    assert!((smallest_attainable(&blocks) - 0.05).abs() < 1e-15);
}
