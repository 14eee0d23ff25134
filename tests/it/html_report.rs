//! The report as a page, in a real browser: what it does by hand and by keyboard, and that it asks nobody for anything.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate::{
    format::{run_v1, verdict_v1},
    judge::judge,
    model::{
        benchmark::{Benchmark, BenchmarkId},
        run::{Block, Fate, Measurement, Run, Sample, Side, Slot, SlotMethod},
        verdict::{CheckVerdict, SlotValue, Verdict},
    },
    report::{html, json as json_report},
};

use crate::support::{chromium::Browser, fixtures};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)><b>\u{202e}'\"`{{7*7}}";

/// Numbers that look like chance and are the same every time: SplitMix64, as a share of 1.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Blocks of six processes; head is slower by `shift`, all scatter by `noise`.
fn blocks(count: usize, value: f64, shift: f64, noise: f64, dice: &mut Dice) -> Vec<Block> {
    use Side::{Base, Head};
    let orders = [
        [Base, Head, Head, Base, Head, Base],
        [Head, Base, Base, Head, Base, Head],
        [Base, Base, Head, Head, Head, Base],
    ];
    let block = |at: usize, dice: &mut Dice| {
        let slot = |side: &Side| {
            // Noise adds time, now and then much.
            let late = if dice.share() > 0.97 { 4.0 } else { 1.0 };
            let factor = if *side == Head { 1.0 + shift } else { 1.0 };
            let total = value * factor * (1.0 + noise * late * dice.share());
            let samples =
                [1.0, 1.002, 1.004, 1.006, 1.02].map(|more| Sample { iterations: 1.0, total: total * more });
            Slot { side: *side, padding: 0, samples: samples.to_vec() }
        };
        Block { slots: orders[at % 3].iter().map(slot).collect(), void: None }
    };
    (0..count).map(|at| block(at, dice)).collect()
}

/// A run of real shape: regressions, improvements, noise, and benchmarks of every other fate.
fn run() -> Run {
    let mut run = run_v1::from_json(&fixtures::bytes("tollgate/1/run.json")).unwrap();
    run.policy.waivers.clear();
    run.policy.rules.clear();
    let dice = &mut Dice(3);
    let kinds = [
        ("num/sieve", 17_203.0, 0.051, 0.012, 6),
        ("num/factorial/recursive", 812.0, 0.0, 0.01, 6),
        ("sort/quick/1000", 5_222.0, 0.03, 0.4, 13),
        ("sort/merge/1000", 6_100.0, 0.001, 0.02, 6),
        ("hash/fnv", 2_311.0, -0.09, 0.02, 9),
        ("hash/sip/long key", 81.4, -0.004, 0.01, 9),
        ("tree/walk", 1_204_000.0, 0.31, 0.03, 6),
        ("json/parse/canada.json", 31_204_000.0, 0.003, 0.008, 4),
    ];
    let measured = |name: &str, fate: Fate, blocks: Vec<Block>| Measurement {
        benchmark: Benchmark::new("kernels", BenchmarkId::new(name).unwrap()),
        metric: run.measurements[0].metric.clone(),
        fate,
        method: SlotMethod::Lockstep,
        blocks,
    };
    let mut all: Vec<Measurement> = kinds
        .iter()
        .map(|(name, value, shift, noise, count)| {
            measured(name, Fate::Measured, blocks(*count, *value, *shift, *noise, dice))
        })
        .collect();
    let crash =
        "exited with code 101\nthread 'main' panicked at benches/io.rs:12:5:\nno such file".to_owned();
    all.push(measured("io/read", Fate::Failed { side: Some(Side::Head), message: crash }, Vec::new()));
    all.push(measured("num/gone", Fate::Missing, Vec::new()));
    all.push(measured("sort/new", Fate::New, Vec::new()));
    all.extend((0..6).map(|at| measured(&format!("layout/identical/{at}"), Fate::Identical, Vec::new())));
    all.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
    Run { measurements: all, load: Vec::new(), ..run }
}

/// So many rows of every kind, each of 39 rounds.
fn many(rows: usize) -> CheckVerdict {
    let mut verdict = verdict_v1::from_json(&fixtures::bytes("tollgate/1/verdict.json")).unwrap();
    let kinds = std::mem::take(&mut verdict.judgements);
    let dice = &mut Dice(5);
    let row = |(at, kind): (usize, &tollgate::model::verdict::Judgement)| {
        let mut row = kind.clone();
        row.display_id = format!("group_{}/function_{at}/{}", at % 40, kind.benchmark.id);
        row.benchmark.id = BenchmarkId::new(row.display_id.clone()).unwrap();
        if row.change.is_some() {
            let blocks = blocks(13, row.base.unwrap(), 0.01, 0.02, dice);
            row.slots = blocks.iter().map(|block| block.slots.iter().map(SlotValue::of).collect()).collect();
        }
        row
    };
    verdict.judgements =
        kinds.iter().filter(|kind| kind.change.is_some()).cycle().take(rows).enumerate().map(row).collect();
    let measurement = |row: &tollgate::model::verdict::Judgement| Measurement {
        benchmark: row.benchmark.clone(),
        metric: row.metric.clone(),
        fate: Fate::Measured,
        method: SlotMethod::Lockstep,
        blocks: row
            .slots
            .iter()
            .map(|block| Block { slots: block.iter().map(|slot| slot.to_slot()).collect(), void: None })
            .collect(),
    };
    let measurements = verdict.judgements.iter().map(measurement).collect();
    verdict.evidence = verdict.evidence.map(|run| Run { measurements, ..run });
    verdict
}

/// A browser on the page of a verdict; the folder goes with the test.
fn open(verdict: &CheckVerdict, hash: &str) -> Option<(Browser, TempDir, String)> {
    let Some(mut browser) = Browser::start() else {
        eprintln!("skipped: chromium is not installed");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, html::render(verdict)).unwrap();
    let url = format!("file://{}", file.display());
    browser.look(1_280, "light");
    browser.open(&format!("{url}{hash}"));
    browser.wait_for("document.documentElement.dataset.ready === 'yes'");
    Some((browser, folder, url))
}

/// Where pictures go: a folder that the caller names, else they are not taken.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("REPORT_PICTURES").map(PathBuf::from)
}

fn picture(browser: &mut Browser, name: &str) {
    if let Some(folder) = pictures() {
        browser.picture(&folder.join(name));
    }
}

/// The page said nothing bad and asked for nothing but itself.
fn is_quiet(browser: &Browser) {
    let asked = browser
        .requests()
        .into_iter()
        .filter(|url| !["file:", "data:", "blob:"].iter().any(|own| url.starts_with(own)));
    assert_eq!(asked.collect::<Vec<_>>(), Vec::<String>::new());
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
}

fn press(browser: &mut Browser, key: &str, code: u32) {
    let text = if key == "Enter" {
        "\r"
    } else if key.len() == 1 {
        key
    } else {
        ""
    };
    let event = |kind: &str| json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code });
    browser.ask("Input.dispatchKeyEvent", &event("keyDown"));
    browser.ask("Input.dispatchKeyEvent", &event("keyUp"));
}

const NAMES: &str = "[...document.querySelectorAll('#table > tbody')].filter(b => !b.hidden).map(b => b.querySelector('.open').firstChild.textContent)";

fn names(browser: &mut Browser) -> Vec<String> {
    serde_json::from_value(browser.value(NAMES)).unwrap()
}

#[test]
fn rows_are_sorted_filtered_found_and_opened_and_the_address_keeps_it() {
    let verdict = judge(&run());
    let Some((mut browser, _folder, url)) = open(&verdict, "") else { return };
    let all = names(&mut browser);
    assert_eq!(all.len(), verdict.judgements.len());
    assert_eq!(all[0], "tree/walk", "the worst regression first: {all:?}");
    picture(&mut browser, "light.png");
    // Sort, both ways; what has no number stays last.
    browser.value("document.querySelector('[data-sort=change]').click()");
    assert_eq!(names(&mut browser)[0], "hash/fnv");
    browser.value("document.querySelector('[data-sort=change]').click()");
    assert_eq!(names(&mut browser)[0], "tree/walk");
    assert_eq!(browser.value("document.querySelectorAll('[aria-sort]').length"), 1);
    assert_eq!(
        browser.value("document.querySelector('[data-sort=change]').parentElement.ariaSort"),
        "descending"
    );
    // Filter by verdict.
    browser.value("document.querySelector('.chip.identical').click()");
    assert_eq!(names(&mut browser).len(), 6);
    assert_eq!(browser.value("document.querySelector('.chip.identical').ariaPressed"), "true");
    assert_eq!(browser.value("document.getElementById('shown').textContent"), "6 of 17 rows");
    assert_eq!(browser.value("location.hash"), "#verdict=identical&sort=change+down");
    // Find by keyboard.
    browser.value("document.querySelector('.chip.identical').click()");
    browser.value("document.activeElement.blur()");
    press(&mut browser, "/", 191);
    assert_eq!(browser.value("document.activeElement.id"), "search");
    browser.ask("Input.insertText", &json!({ "text": "SORT quick" }));
    assert_eq!(names(&mut browser), ["sort/quick/1000"]);
    press(&mut browser, "Escape", 27);
    assert_eq!(names(&mut browser).len(), 17);
    // Open by keyboard: two drawings, which say their numbers.
    browser.value("document.querySelector('tbody.regressed .open').focus()");
    press(&mut browser, "Enter", 13);
    browser.wait_for("document.querySelectorAll('.detail svg[role=img]').length === 2");
    let words = browser.value("document.querySelector('.detail desc').textContent");
    assert!(words.as_str().unwrap().starts_with("base: 18 processes, 1."), "{words}");
    assert_eq!(browser.value("document.querySelectorAll('.detail .plot .points').length"), 2);
    assert_eq!(
        browser.value("document.querySelector('.open[aria-expanded=true]').getAttribute('aria-controls')"),
        "detail-0"
    );
    assert_eq!(browser.value("new URLSearchParams(location.hash.slice(1)).get('benchmark')"), "tree/walk");
    picture(&mut browser, "open.png");
    browser.look(1_280, "dark");
    picture(&mut browser, "dark.png");
    is_quiet(&browser);
    // The address alone leads back to a benchmark.
    browser.open("about:blank");
    browser.open(&format!("{url}#benchmark=hash%2Fsip%2Flong+key"));
    browser.wait_for("document.activeElement?.textContent === 'hash/sip/long key' && document.activeElement.ariaExpanded === 'true'");
    browser.open(&format!("{url}#verdict=new,missing&search=num"));
    browser.wait_for(&format!("{NAMES}.join() === 'num/gone'"));
    browser.value("document.getElementById('search').value = 'nothing'; document.getElementById('search').dispatchEvent(new Event('input'))");
    assert_eq!(browser.value("document.getElementById('none').hidden"), false);
    browser.value("document.getElementById('reset').click()");
    assert_eq!(names(&mut browser).len(), 17);
    for width in [375, 320] {
        browser.look(width, "light");
        // The narrow table is laid out in another way; for a screen reader it is the same table.
        let tree = browser.ask("Accessibility.getFullAXTree", &json!({}));
        let roles = |wanted: &str| {
            let nodes = tree["nodes"].as_array().unwrap().iter();
            nodes.filter(|node| node["ignored"] == false && node["role"]["value"] == wanted).count()
        };
        assert_eq!((roles("table"), roles("rowheader")), (1, 17));
        browser.value("document.querySelector('tbody.inconclusive .open, tbody.improved .open').click()");
        browser.wait_for(&format!("document.documentElement.scrollWidth <= {width}"));
        picture(&mut browser, &format!("phone-{width}.png"));
    }
    is_quiet(&browser);
}

#[test]
fn the_verdict_can_be_taken_out_of_the_page_byte_by_byte() {
    let verdict = judge(&run());
    let Some((mut browser, _folder, _)) = open(&verdict, "") else { return };
    browser.value("document.getElementById('download').click()");
    let file = browser.downloads().join("tollgate-verdict.json");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !file.is_file() {
        assert!(Instant::now() < deadline, "nothing was saved; {:?}", browser.complaints());
        thread::sleep(Duration::from_millis(50));
    }
    assert!(fs::read(&file).unwrap() == json_report::render(&verdict));
    is_quiet(&browser);
}

#[test]
fn hostile_names_do_nothing_in_a_browser() {
    let mut verdict = verdict_v1::from_json(&fixtures::bytes("tollgate/1/load-verdict.json")).unwrap();
    verdict.judgements = judge(&run()).judgements;
    for (at, row) in verdict.judgements.iter_mut().enumerate() {
        row.display_id = format!("{HOSTILE}{at}");
        row.reason = HOSTILE.into();
        row.metric.name = HOSTILE.into();
        row.metric.unit = HOSTILE.into();
        row.benchmark.target = HOSTILE.into();
    }
    for load in &mut verdict.load {
        load.scenario = HOSTILE.into();
    }
    verdict.targets[0].tier = HOSTILE.into();
    verdict.head.label = HOSTILE.into();
    verdict.tool_version = HOSTILE.into();
    let Some((mut browser, _folder, _)) = open(&verdict, "") else { return };
    browser.value("document.querySelectorAll('.open').forEach((button) => button.click())");
    browser.wait_for("document.querySelectorAll('.detail').length === 17");
    assert_eq!(
        browser
            .value("document.querySelectorAll('img, b b, main b:not(.points b, .chip b), [onerror]').length"),
        0
    );
    assert_eq!(browser.value("document.body.innerText.includes('\\u202e')"), false);
    assert_eq!(browser.value("document.scripts.length"), 3);
    let wide = browser.value("[...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll') && e.getBoundingClientRect().right > 1280).slice(0, 8).map((e) => `${e.tagName}.${e.getAttribute('class')} ${e.getBoundingClientRect().right}`)");
    assert_eq!(wide, json!([]));
    picture(&mut browser, "hostile.png");
    is_quiet(&browser);
    // An address is text of others too.
    browser.value("location.hash = '#verdict=%3Cimg%20src=x%3E&search=%3Cimg%3E&sort=__proto__%20down&benchmark=constructor'");
    browser.wait_for("document.getElementById('shown').textContent === '0 of 17 rows'");
    is_quiet(&browser);
}

/// From the first byte to the page at work and to the first paint, milliseconds.
const TIMES: &str = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
    const page = performance.getEntriesByType('navigation')[0];
    const paint = performance.getEntriesByType('paint').find((entry) => entry.name === 'first-contentful-paint');
    done([page.domContentLoadedEventEnd, page.loadEventEnd, paint ? paint.startTime : null]);
}, 100)))";

#[test]
fn a_thousand_benchmarks_of_39_rounds_open_and_are_found() {
    let verdict = many(1_000);
    let Some((mut browser, folder, _)) = open(&verdict, "") else { return };
    let size = fs::metadata(folder.path().join("report.html")).unwrap().len();
    eprintln!("{size} bytes; ready, loaded, painted: {}", browser.value(TIMES));
    assert_eq!(browser.value("document.querySelectorAll('#table > tbody').length"), 1_000);
    browser.value("document.querySelector('[data-sort=benchmark]').click()");
    let sorted = names(&mut browser);
    assert!(
        sorted.len() == 1_000
            && sorted[0].starts_with("group_0/function_0/")
            && sorted[1].starts_with("group_0/function_40/")
    );
    browser.value("document.getElementById('search').value = 'function_777/'; document.getElementById('search').dispatchEvent(new Event('input'))");
    assert_eq!(names(&mut browser).len(), 1);
    browser.value("document.querySelector('tbody:not([hidden]) .open').click()");
    browser.wait_for("document.querySelectorAll('.detail .plot .points').length === 2");
    // One path a side, whatever the number of processes.
    assert_eq!(
        browser.value(
            "document.querySelector('.detail .plot .points.head').getAttribute('d').split('M').length - 1"
        ),
        39
    );
    is_quiet(&browser);
}

#[test]
fn paper_gets_the_opened_rows() {
    let Some((mut browser, _folder, _)) = open(&judge(&run()), "") else { return };
    browser.value("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(browser.value("document.querySelectorAll('.detail:not([hidden])').length"), 9);
    browser.value("dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.value("document.querySelectorAll('.detail:not([hidden])').length"), 0);
    let printed = browser.ask("Page.printToPDF", &json!({ "printBackground": false }));
    assert!(printed["data"].as_str().unwrap().len() > 10_000);
    if let Some(folder) = pictures() {
        keep_pdf(&printed, &folder.join("paper.pdf"));
        browser.value("dispatchEvent(new Event('beforeprint'))");
        browser.ask("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
        picture(&mut browser, "paper.png");
    }
    is_quiet(&browser);
}

fn keep_pdf(printed: &Value, path: &Path) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    fs::write(path, STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()).unwrap();
}

#[test]
fn a_verdict_with_load_draws_its_curves_and_one_without_rows_says_so() {
    let mut verdict = verdict_v1::from_json(&fixtures::bytes("tollgate/1/load-verdict.json")).unwrap();
    let Some((mut browser, _folder, _)) = open(&verdict, "") else { return };
    assert_eq!(browser.value("document.querySelectorAll('.scenario svg[role=img]').length"), 1);
    let words = browser.value("document.querySelector('.scenario desc').textContent");
    assert!(words.as_str().unwrap().contains("head, response: p50 232 µs"), "{words}");
    assert_eq!(browser.value("document.querySelectorAll('.tier').length"), 3);
    assert_eq!(
        browser.value("document.querySelector('.tier.missed .standing').textContent"),
        "missed, demanded"
    );
    picture(&mut browser, "load.png");
    browser.look(375, "dark");
    browser.wait_for("document.documentElement.scrollWidth <= 375");
    picture(&mut browser, "load-phone.png");
    is_quiet(&browser);
    verdict.judgements.retain(|row| row.verdict == Verdict::Failed);
    verdict.load.clear();
    verdict.targets.clear();
    verdict.score = None;
    let Some((mut browser, _folder, _)) = open(&verdict, "#verdict=regressed&benchmark=x") else { return };
    assert!(browser.value("document.body.innerText").as_str().unwrap().contains("There are no rows"));
    picture(&mut browser, "none.png");
    is_quiet(&browser);
}
