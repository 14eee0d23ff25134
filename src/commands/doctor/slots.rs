//! The recorded slots as a file for `compare --slots`.

use crate::calibrate::series::Series;

/// One line a slot in time order: `benchmark,position,block,side,value`, the value in nanoseconds. Void blocks are left out.
pub(super) fn csv(series: &[Series]) -> String {
    let mut text = String::from("benchmark,position,block,side,value\n");
    for series in series {
        for (block, slots) in series.values().iter().enumerate() {
            for (place, slot) in slots.iter().enumerate() {
                let position = block * slots.len() + place;
                let line =
                    format!("{},{position},{block},{},{}\n", series.name(), slot.side.as_str(), slot.fast);
                text.push_str(&line);
            }
        }
    }
    text
}
