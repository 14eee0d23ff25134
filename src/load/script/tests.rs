use std::path::{Path, PathBuf};

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode, header::HeaderValue};

use super::{Answer, Error, Part, Script};
use crate::{
    load::scenario::{Body, Capture, CaptureFrom, Data, Expect, Flow, Step},
    model::load::ErrorKind,
};

fn step(path: &str) -> Step {
    Step {
        name: format!("GET {path}"),
        method: "GET".into(),
        path: path.into(),
        headers: Vec::new(),
        body: Body::None,
        expect: Expect { status: Vec::new(), body: None },
        capture: Vec::new(),
    }
}

fn flow(steps: Vec<Step>) -> Flow {
    Flow { name: "flow".into(), weight: 1.0, steps, data: None }
}

fn capture(name: &str, from: CaptureFrom) -> Capture {
    Capture { name: name.into(), from }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn compile(flows: &[Flow]) -> Result<Script, Error> {
    Script::compile(flows, Path::new("."), 7)
}

fn problems(flows: &[Flow], folder: &Path) -> Vec<String> {
    match Script::compile(flows, folder, 7) {
        Err(Error::Problems(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

/// A folder with one data file, and a flow of a path over it.
fn with_data(name: &str, bytes: &[u8], path: &str, in_order: bool) -> (tempfile::TempDir, Flow) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    let data = Some(Data { file: name.into(), in_order });
    (folder, Flow { data, ..flow(vec![step(path)]) })
}

fn paths(script: &Script, sessions: u64) -> Vec<String> {
    (0..sessions).map(|number| script.session(number).next().unwrap().path.to_string()).collect()
}

fn data_problem(name: &str, bytes: &[u8]) -> String {
    let (folder, flow) = with_data(name, bytes, "/", false);
    let found = problems(&[flow], folder.path());
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_constant_request_is_asked_once_and_its_body_is_not_wanted() {
    let script = compile(&[flow(vec![step("/a b?x=ü#y")])]).unwrap();
    assert_eq!(script.endpoints(), ["GET /a b?x=ü#y"]);
    let mut session = script.session(0);
    let asked = session.next().unwrap();
    assert_eq!(asked.path, "/a%20b?x=%C3%BC%23y");
    assert!(!asked.wants_body && asked.body.is_empty() && asked.headers.is_empty());
    session.take(&answer(302, "")).unwrap();
    assert!(session.next().is_none() && session.failed().is_none());
}

#[test]
fn a_status_that_is_not_expected_ends_the_session() {
    let two = || vec![step("/a"), step("/b")];
    let mut session = compile(&[flow(two())]).unwrap().session(0);
    session.next().unwrap();
    assert_eq!(session.take(&answer(404, "")), Err(ErrorKind::Status));
    assert!(session.next().is_none());
    let mut steps = two();
    steps[0].expect.status = vec![(404, 404), (500, 599)];
    let mut session = compile(&[flow(steps)]).unwrap().session(0);
    session.next().unwrap();
    session.take(&answer(404, "")).unwrap();
    assert_eq!(session.next().unwrap().path, "/b");
    session.abandon();
    assert!(session.next().is_none() && session.failed().is_none());
}

#[test]
fn a_body_that_does_not_match_is_an_error() {
    let mut asked = step("/");
    asked.expect.body = Some(r#""ok":\s*true"#.into());
    let script = compile(&[flow(vec![asked])]).unwrap();
    for (body, expected) in [(r#"{"ok": true}"#, Ok(())), (r#"{"ok": false}"#, Err(ErrorKind::Body))] {
        let mut session = script.session(0);
        assert!(session.next().unwrap().wants_body);
        assert_eq!(session.take(&answer(200, body)), expected);
    }
}

#[test]
fn captured_values_reach_later_steps() {
    let mut login = step("/login");
    login.capture = vec![
        capture("token", CaptureFrom::JsonPath("$.auth.token".into())),
        capture("count", CaptureFrom::JsonPath("$.n".into())),
        capture("id", CaptureFrom::Regex("id=([a-z]+)".into())),
        capture("place", CaptureFrom::Header("Location".into())),
    ];
    let mut next = step("/items/{{ id }}?n={{ count + 1 }}");
    next.headers = vec![("Authorization".into(), "Bearer {{ token }}".into()), ("X-A".into(), "b".into())];
    next.body = Body::Text("{\"token\": {{ token | tojson }}}\n".into());
    let there = step("{{ place | safe }}");
    let script = compile(&[flow(vec![login, next, there])]).unwrap();
    let mut session = script.session(3);
    assert!(session.next().unwrap().wants_body);
    let mut given = answer(200, r#"{"auth": {"token": "a\"b"}, "n": 4, "x": "id=abc"}"#);
    given.headers.insert("location", HeaderValue::from_static("/there?a=1&b=c d"));
    session.take(&given).unwrap();
    let asked = session.next().unwrap();
    assert_eq!(asked.path, "/items/abc?n=5");
    assert_eq!(asked.headers["authorization"], "Bearer a\"b");
    assert_eq!(asked.headers["x-a"], "b");
    assert_eq!(&asked.body[..], b"{\"token\": \"a\\\"b\"}\n");
    session.take(&answer(200, "")).unwrap();
    assert_eq!(session.next().unwrap().path, "/there?a=1&b=c%20d");
}

#[test]
fn a_value_that_is_not_there_is_an_error_of_the_body() {
    for from in [
        CaptureFrom::JsonPath("$.a".into()),
        CaptureFrom::Regex("a=(.)".into()),
        CaptureFrom::Header("x-a".into()),
    ] {
        let mut asked = step("/");
        asked.capture = vec![capture("a", from)];
        let script = compile(&[flow(vec![asked, step("/{{ a }}")])]).unwrap();
        for body in ["{}", r#"{"a": null}"#, "not json", ""] {
            let mut session = script.session(0);
            session.next().unwrap();
            assert_eq!(session.take(&answer(200, body)), Err(ErrorKind::Body), "{body}");
            assert!(session.next().is_none());
        }
    }
}

#[test]
fn values_in_a_path_are_encoded_and_never_rendered_again() {
    let (folder, flow) =
        with_data("d.csv", b"name\n\"a/b ?&{{ seed }}\r\nx\"\n", "/u/{{ name }}?q={{ name }}", true);
    let script = Script::compile(&[flow], folder.path(), 7).unwrap();
    let encoded = "a%2Fb%20%3F%26%7B%7B%20seed%20%7D%7D%0D%0Ax";
    assert_eq!(paths(&script, 1), [format!("/u/{encoded}?q={encoded}")]);
}

#[test]
fn a_path_that_is_marked_safe_is_still_one_line_on_this_host() {
    let (folder, flow) = with_data(
        "d.csv",
        b"p\n\"/x HTTP/1.1\r\nHost: evil\"\n//evil.example/x\nhttp://evil.example/\n",
        "{{ p | safe }}",
        true,
    );
    let script = Script::compile(&[flow], folder.path(), 7).unwrap();
    assert_eq!(paths(&script, 2), ["/x%20HTTP/1.1%0D%0AHost:%20evil", "//evil.example/x"]);
    let mut session = script.session(2);
    assert!(session.next().is_none());
    assert_eq!(session.failed(), Some((0, ErrorKind::Body)));
    assert!(session.next().is_none());
}

#[test]
fn a_line_break_does_not_get_into_a_header() {
    let (folder, mut flow) = with_data("d.csv", b"v\nplain\n\"a\r\nX-Evil: 1\"\n", "/", true);
    flow.steps[0].headers = vec![("X-V".into(), "{{ v }}".into())];
    let script = Script::compile(&[flow], folder.path(), 7).unwrap();
    assert_eq!(script.session(0).next().unwrap().headers["x-v"], "plain");
    let mut session = script.session(1);
    assert!(session.next().is_none());
    assert_eq!(session.failed(), Some((0, ErrorKind::Body)));

    let mut constant = step("/");
    constant.headers = vec![("X-V".into(), "a\nb".into()), ("bad name".into(), "x".into())];
    constant.headers.push(("Content-Length".into(), "5".into()));
    let found = problems(&[self::flow(vec![constant])], folder.path());
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn names_that_nobody_defines_are_found_when_compiling() {
    let mut first = step("/{{ token }}/{{ nobody }}");
    first.capture = vec![capture("token", CaptureFrom::Header("x".into()))];
    let second = step("/{{ token }}/{{ number }}/{{ seed }}/{{ random }}");
    let found = problems(&[flow(vec![first, second])], Path::new("."));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("flow 1, step 1, path: there is no `nobody`: known here are `number`"));
    assert!(found[1].contains("`token` is captured only by this step or a later one"));
}

#[test]
fn mistakes_of_every_part_are_found_at_once() {
    let mut bad = step("no-slash");
    bad.method = "GETT".into();
    bad.body = Body::Text("{{ number | nofilter }}".into());
    bad.expect = Expect { status: vec![(300, 200)], body: Some("(".into()) };
    bad.capture = vec![
        capture("1a", CaptureFrom::Header("ok".into())),
        capture("b", CaptureFrom::JsonPath("a..".into())),
        capture("c", CaptureFrom::Regex("[".into())),
        capture("d", CaptureFrom::Header("no name".into())),
    ];
    let mut open = step("/{{ number");
    open.body = Body::File(PathBuf::from("../outside"));
    let mut unknown = flow(vec![step("/")]);
    unknown.weight = 0.0;
    let result = compile(&[flow(vec![bad, open]), unknown]);
    let Err(Error::Problems(found)) = result else { panic!("{result:?}") };
    let parts: Vec<Part> = found.iter().map(|problem| problem.part.clone()).collect();
    let capture = |name: &str| Part::Capture(name.into());
    assert_eq!(
        parts,
        [
            Part::Method,
            Part::Path,
            capture("1a"),
            Part::Status,
            Part::Pattern,
            capture("b"),
            capture("c"),
            capture("d"),
            Part::Path,
            Part::Body,
            Part::Weight
        ],
        "{found:#?}"
    );
    assert_eq!(compile(&[]).unwrap_err(), Error::Empty);
    let mut filter = step("/");
    filter.body = Body::Text("{{ number | nofilter }}".into());
    let found = problems(&[flow(vec![filter])], Path::new("."));
    assert!(found[0].contains("nofilter"), "{found:?}");
}

#[test]
fn rows_come_in_order_or_at_random_by_seed_and_number() {
    let csv = b"\xef\xbb\xbfuser,age\nann,1\n\"bob, jr\",2\ncid,3\n";
    let (folder, flow) = with_data("d.csv", csv, "/{{ user }}/{{ age }}", true);
    let ordered = Script::compile(std::slice::from_ref(&flow), folder.path(), 7).unwrap();
    assert_eq!(paths(&ordered, 4), ["/ann/1", "/bob%2C%20jr/2", "/cid/3", "/ann/1"]);
    let random = Flow { data: Some(Data { file: "d.csv".into(), in_order: false }), ..flow };
    let of_seed =
        |seed| paths(&Script::compile(std::slice::from_ref(&random), folder.path(), seed).unwrap(), 60);
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
    assert!(
        ["/ann/1", "/bob%2C%20jr/2", "/cid/3"].iter().all(|path| of_seed(1).contains(&(*path).to_owned()))
    );
}

#[test]
fn json_lines_keep_what_their_values_are() {
    let lines = b"{\"n\": 1, \"f\": 1.5, \"b\": true, \"s\": \"x y\", \"z\": null}\n\n{\"z\":\"\",\"n\":18446744073709551615,\"f\":-2e3,\"b\":false,\"s\":\"\"}\n";
    let (folder, mut flow) = with_data("d.jsonl", lines, "/", true);
    flow.steps[0].body = Body::Text(
        "{{ n }} {{ f }} {% if b %}yes{% else %}no{% endif %} {{ s }} {{ z }} {{ s | urlencode }}".into(),
    );
    let script = Script::compile(&[flow], folder.path(), 7).unwrap();
    let body = |number| script.session(number).next().unwrap().body;
    assert_eq!(&body(0)[..], b"1 1.5 yes x y null x%20y");
    assert_eq!(&body(1)[..], b"18446744073709551615 -2000.0 no   ");
}

#[test]
fn hostile_data_is_refused_with_its_line() {
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("d.csv", b"a,b\n1,2\n3\n".to_vec(), "line 3 has 1 cells, the header has 2"),
        ("d.csv", b"a,a\n1,2\n".to_vec(), "columns 1 and 2 are both called `a`"),
        ("d.csv", b"a\n".to_vec(), "no rows"),
        ("d.csv", b"".to_vec(), "no rows"),
        ("d.csv", b"a\nx\ny\xff\n".to_vec(), "line 3 is not UTF-8"),
        ("d.csv", b"a\nx\0\n".to_vec(), "line 2 holds a NUL"),
        ("d.csv", [b"a\n".to_vec(), vec![b'x'; (1 << 20) + 1]].concat(), "line 2: the row is longer"),
        ("d.csv", vec![b','; 1_001], "columns"),
        ("d.csv", [b"a\n".to_vec(), b"1\n".repeat(1_000_001)].concat(), "more than 1000000 rows"),
        ("d.jsonl", b"{\"a\": 1}\n{\"b\": 1}\n".to_vec(), "line 2: `b` is not in the first row"),
        ("d.jsonl", b"{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n".to_vec(), "line 2: there is no `b`"),
        ("d.jsonl", b"{\"a\": [1]}\n".to_vec(), "line 1: `a` is a list or an object"),
        ("d.jsonl", b"[1]\n".to_vec(), "line 1: not a JSON object"),
        ("d.txt", b"a\n1\n".to_vec(), "`.csv` file with a header or a `.jsonl` file"),
    ];
    for (name, bytes, expected) in cases {
        let found = data_problem(name, &bytes);
        assert!(found.starts_with("flow 1, data: ") && found.contains(expected), "{found}");
    }
}

#[test]
fn files_outside_the_folder_and_things_that_are_no_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("inside"), b"{{ not a template").unwrap();
    let message = |file: &str| {
        let mut asked = step("/");
        asked.body = Body::File(file.into());
        match Script::compile(&[flow(vec![asked])], folder.path(), 7) {
            Ok(script) => String::from_utf8(script.session(0).next().unwrap().body.to_vec()).unwrap(),
            Err(error) => error.to_string(),
        }
    };
    for outside in ["/etc/hostname", "../x", "sub/../../x"] {
        assert!(message(outside).contains("outside the folder"), "{}", message(outside));
    }
    assert!(message("sub").contains("is not a file"));
    assert!(message("missing").contains("could not read `missing`"));
    assert_eq!(message("sub/../inside"), "{{ not a template");
}

#[test]
fn rows_in_order_have_no_gaps_where_flows_take_turns_and_weights_hold() {
    let (folder, ordered) = with_data("d.csv", b"user\nann\nbob\ncid\n", "/{{ user }}", true);
    let other = |path: &str, weight| Flow { weight, ..flow(vec![step(path)]) };
    let flows = [other("/a", 3.0), Flow { weight: 2.0, ..ordered }, other("/b", 0.5)];
    let script = Script::compile(&flows, folder.path(), 7).unwrap();
    let all = paths(&script, 11_000);
    let rows: Vec<&String> = all.iter().filter(|path| *path != "/a" && *path != "/b").collect();
    assert!(rows.iter().zip(["/ann", "/bob", "/cid"].iter().cycle()).all(|(got, want)| got == want));
    let count = |path: &str| all.iter().filter(|got| *got == path).count();
    assert_eq!((count("/a"), rows.len(), count("/b")), (6_000, 4_000, 1_000));
    // A session's number says what it asks, whoever asks before it, in the warm-up too.
    assert_eq!(script.session(7_777).next().unwrap().path, all[7_777]);
    assert_eq!(script.session((1 << 63) + 5).next().unwrap().path, all[5]);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused_and_one_within_it_is_followed() {
    let (folder, flow) = with_data("d.csv", b"user\nann\n", "/{{ user }}", false);
    let linked = |to: &Path| {
        let link = folder.path().join("link.csv");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(to, &link).unwrap();
        let data = Some(Data { file: "link.csv".into(), in_order: false });
        Script::compile(&[Flow { data, ..flow.clone() }], folder.path(), 7)
    };
    assert!(linked(Path::new("d.csv")).is_ok());
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("secret.csv");
    std::fs::write(&outside, "user\neve\n").unwrap();
    let refused = linked(&outside).unwrap_err().to_string();
    assert!(refused.contains("`link.csv` is a link that leads out of the folder"), "{refused}");
}

#[test]
fn the_digests_of_named_files_change_with_their_content() {
    let (folder, mut flow) = with_data("d.csv", b"user\nann\n", "/{{ user }}", false);
    flow.steps[0].body = Body::File("body.json".into());
    std::fs::write(folder.path().join("body.json"), "1").unwrap();
    let digests = || super::digests(std::slice::from_ref(&flow), folder.path());
    let before = digests();
    assert_eq!(before.iter().flatten().count(), 2);
    assert_eq!(digests(), before);
    std::fs::write(folder.path().join("body.json"), "2").unwrap();
    let (body, data) = (digests()[0] == before[0], digests()[1] == before[1]);
    assert_eq!((body, data), (false, true));
    std::fs::write(folder.path().join("d.csv"), "user\nbob\n").unwrap();
    assert_ne!(digests()[1], before[1]);
}

#[test]
fn flows_are_taken_by_weight_and_the_choice_depends_on_seed_and_number_only() {
    let weighted = |path: &str, weight| Flow { weight, ..flow(vec![step(path)]) };
    let flows = [weighted("/a", 3.0), weighted("/b", 1.0)];
    let script = compile(&flows).unwrap();
    let all = paths(&script, 4_000);
    assert_eq!(all, paths(&compile(&flows).unwrap(), 4_000));
    let share = all.iter().filter(|path| *path == "/a").count();
    assert!((2_850..=3_150).contains(&share), "{share}");
    assert_ne!(all, paths(&Script::compile(&flows, Path::new("."), 8).unwrap(), 4_000));
}

#[test]
fn steps_of_the_same_name_are_one_endpoint() {
    let named = |name: &str| Step { name: name.into(), ..step("/") };
    let script = compile(&[flow(vec![named("x"), named("y"), named("x")]), flow(vec![named("y")])]).unwrap();
    assert_eq!(script.endpoints(), ["x", "y"]);
    let mut session = script.session(0);
    let mut seen = Vec::new();
    while let Some(asked) = session.next() {
        seen.push(asked.endpoint);
        session.take(&answer(200, "")).unwrap();
    }
    assert!(seen == [0, 1, 0] || seen == [1]);
}

#[test]
fn random_is_one_number_a_session() {
    let script =
        compile(&[flow(vec![step("/{{ random }}/{{ number }}/{{ seed }}"), step("/{{ random }}")])]).unwrap();
    let mut session = script.session(5);
    let first = session.next().unwrap().path;
    session.take(&answer(200, "")).unwrap();
    let second = session.next().unwrap().path;
    assert_eq!(first, format!("{second}/5/7"));
    assert_ne!(
        script.session(6).next().unwrap().path.as_str().split('/').nth(1),
        second.as_str().split('/').nth(1)
    );
}

#[test]
fn bytes_that_are_no_text_can_be_matched_and_captured() {
    let mut asked = step("/");
    asked.expect.body = Some("k=".into());
    asked.capture = vec![capture("k", CaptureFrom::Regex("(?-u)k=(.)".into()))];
    let script = compile(&[flow(vec![asked, step("/{{ k }}")])]).unwrap();
    let mut session = script.session(0);
    session.next().unwrap();
    let body = Bytes::from_static(b"\xff\xfek=\xff");
    session.take(&Answer { status: StatusCode::OK, headers: HeaderMap::new(), body }).unwrap();
    assert_eq!(session.next().unwrap().path, "/%EF%BF%BD");
}

proptest::proptest! {
    #[test]
    fn no_value_breaks_out_of_its_place(value in proptest::prelude::any::<String>(), safe in proptest::bool::ANY) {
        let line = serde_json::json!({ "v": value.replace('\0', "") }).to_string();
        let path = if safe { "/a/{{ v | safe }}" } else { "/a/{{ v }}?q={{ v }}" };
        let (folder, mut flow) = with_data("d.jsonl", line.as_bytes(), path, true);
        flow.steps[0].headers = vec![("X-V".into(), "v={{ v }}".into())];
        let script = Script::compile(&[flow], folder.path(), 7);
        if let Ok(script) = script {
            let mut session = script.session(0);
            match session.next() {
                Some(asked) => {
                    proptest::prop_assert!(asked.path.as_str().bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
                    proptest::prop_assert!(asked.path.as_str().starts_with("/a/"));
                    let slashes = asked.path.as_str().matches('/').count();
                    proptest::prop_assert!(safe || slashes == 2);
                    proptest::prop_assert!(!asked.headers["x-v"].as_bytes().contains(&b'\n'));
                }
                None => proptest::prop_assert_eq!(session.failed(), Some((0, ErrorKind::Body))),
            }
        }
    }

    #[test]
    fn no_data_file_brings_the_reader_down(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), csv in proptest::bool::ANY) {
        let (folder, flow) = with_data(if csv { "d.csv" } else { "d.jsonl" }, &bytes, "/{{ a }}", false);
        if let Ok(script) = Script::compile(&[flow], folder.path(), 7) {
            proptest::prop_assert!(script.session(1).next().is_some_and(|asked| asked.path.as_str().starts_with('/')));
        }
    }

    #[test]
    fn no_text_brings_the_reader_of_templates_down(text in "[{}%# a-z|()\"'.0-9/]{0,40}") {
        let mut asked = step(&format!("/{text}"));
        asked.body = Body::Text(text);
        let _ = compile(&[flow(vec![asked])]);
    }
}
