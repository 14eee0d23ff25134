//! JSON Schemas of the documents, from the types that read and write them. They are committed under `schemas/`.

use schemars::{JsonSchema, schema_for};

use super::{baseline_v1, history_v1, run_v1, verdict_v1, version::Kind};

/// The schema of a kind of document, as the bytes of its committed file.
#[must_use]
pub fn json_schema(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Run => schema::<run_v1::Document>(kind),
        Kind::Verdict => schema::<verdict_v1::Document>(kind),
        Kind::Baseline => schema::<baseline_v1::Document>(kind),
        Kind::History => schema::<history_v1::Document>(kind),
    }
}

/// The name of that file under `schemas/`: `tollgate.run.1.schema.json`.
#[must_use]
pub fn file_name(kind: Kind) -> String {
    format!("{}.{}.schema.json", kind.name(), kind.major())
}

fn schema<T: JsonSchema>(kind: Kind) -> Vec<u8> {
    let mut schema = schema_for!(T);
    schema.insert("title".to_owned(), kind.schema().into());
    let mut bytes = serde_json::to_vec_pretty(&schema).expect("a schema is a JSON value, so it serialises");
    bytes.push(b'\n');
    bytes
}
