//! One command on its way through the measurement: the benchmarks that its output names, and their blocks.

use super::{
    Program, Request,
    runner::{self, Reading, Slot as Taken, Trouble},
};
use crate::{
    model::{
        benchmark::Benchmark,
        metric::{Metric, Nature},
        run::{Block, Fate, Measurement, Side, Slot, SlotMethod, VoidReason, Warning},
    },
    progress::{Event, Progress},
};
use std::time::Instant;

/// So many blocks more than are kept may be thrown away; then they count.
const VOIDS_IN_ADVANCE: usize = 6;

/// One metric of one benchmark of a command.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) benchmark: Benchmark,
    pub(super) metric: Metric,
    pub(super) blocks: Vec<Block>,
    pub(super) fate: Fate,
    /// Its place in the planner; `None` where it gets no blocks.
    pub(super) item: Option<usize>,
}

impl Line {
    /// Blocks that count.
    pub(super) fn valid(&self) -> u32 {
        let valid = self.blocks.iter().filter(|block| block.void.is_none()).count();
        u32::try_from(valid).unwrap_or(u32::MAX)
    }

    pub(super) fn measurement(&self) -> Measurement {
        Measurement {
            benchmark: self.benchmark.clone(),
            metric: self.metric.clone(),
            fate: self.fate.clone(),
            method: SlotMethod::Command,
            blocks: self.blocks.clone(),
        }
    }

    fn is(&self, benchmark: &Benchmark, metric: &Metric) -> bool {
        self.benchmark == *benchmark && self.metric.name == metric.name
    }
}

/// One command, what was measured of it and what became of it.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub(super) program: &'a Program,
    pub(super) lines: Vec<Line>,
    /// What its last block took, seconds; at first a guess by the processes that told its benchmarks.
    pub(super) block_seconds: f64,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Course<'a> {
    /// Builds what is wanted of a command and runs it once a side, uncounted: this warms caches and tells the benchmarks.
    pub(super) fn begin(
        program: &'a Program,
        request: &Request<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, &'static str> {
        let site = &request.site;
        let mut course = Self { program, lines: Vec::new(), block_seconds: 0.0, warnings: Vec::new() };
        let head = first(program, request, Side::Head, progress)?;
        let base = match site.base {
            Some(_) if !site.same_files => Some(first(program, request, Side::Base, progress)?),
            _ => None,
        };
        let took = |slot: &Result<(Taken, f64), String>| slot.as_ref().map_or(0.0, |(_, seconds)| *seconds);
        course.block_seconds = 3.0 * (took(&head) + base.as_ref().map_or(0.0, &took));
        for (slot, _) in [Some(&head), base.as_ref()].into_iter().flatten().flatten() {
            let new = slot.warnings.iter().filter(|warning| !course.warnings.contains(warning));
            let new: Vec<Warning> = new.cloned().collect();
            course.warnings.extend(new);
        }
        course.set_lines(head.map(|(slot, _)| slot), base.map(|base| base.map(|(slot, _)| slot)), request);
        course.tell_failures(progress);
        Ok(course)
    }

    fn set_lines(
        &mut self,
        head: Result<Taken, String>,
        base: Option<Result<Taken, String>>,
        request: &Request<'_>,
    ) {
        let failed = |side, message: &str| Fate::Failed { side: Some(side), message: message.to_owned() };
        match (head, base) {
            (Err(message), Some(Ok(base))) => {
                self.add(base.readings, &|_| failed(Side::Head, &message), request);
            }
            (Err(message), _) => {
                self.add(vec![nothing(self.program)], &|_| failed(Side::Head, &message), request);
            }
            (Ok(head), Some(Err(message))) => {
                self.add(head.readings, &|_| failed(Side::Base, &message), request);
            }
            (Ok(head), None) => {
                let fate = if request.site.same_files && request.site.base.is_some() {
                    let message = "both sides have the same files, so commands were run on head only, for their benchmarks; \
                                   `--measure-identical` measures them";
                    self.warnings.push(Warning::new("same_files", message));
                    Fate::Identical
                } else {
                    Fate::Measured
                };
                self.add(head.readings, &|_| fate.clone(), request);
            }
            (Ok(head), Some(Ok(base))) => self.join(head.readings, base.readings, request),
        }
    }

    /// The benchmarks of both sides: those of one alone are new or missing.
    fn join(&mut self, head: Vec<Reading>, mut base: Vec<Reading>, request: &Request<'_>) {
        for reading in head {
            let same = |other: &Reading| {
                other.benchmark == reading.benchmark && other.metric.name == reading.metric.name
            };
            let fate = match base.iter().position(same) {
                None => Fate::New,
                Some(at) => {
                    let other = base.remove(at);
                    if (&other.metric.unit, other.metric.direction)
                        == (&reading.metric.unit, reading.metric.direction)
                    {
                        failure(Side::Base, &other).unwrap_or(Fate::Measured)
                    } else {
                        let message = format!(
                            "base is measured in `{}`, head in `{}`",
                            other.metric.unit, reading.metric.unit
                        );
                        Fate::Failed { side: None, message }
                    }
                }
            };
            self.add(vec![reading], &|_| fate.clone(), request);
        }
        self.add(base, &|_| Fate::Missing, request);
    }

    /// Adds benchmarks with what became of them; their own failure and the rules come first.
    fn add(&mut self, readings: Vec<Reading>, fate: &dyn Fn(&Reading) -> Fate, request: &Request<'_>) {
        for reading in readings {
            let left_out = (request.left_out)(&reading.benchmark, &reading.metric).map(Fate::Ignored);
            let by_rule = left_out.unwrap_or_else(|| match fate(&reading) {
                Fate::Measured => failure(Side::Head, &reading).unwrap_or(Fate::Measured),
                other => other,
            });
            let same = |m: &&Measurement| m.benchmark == reading.benchmark && m.metric == reading.metric;
            let blocks = match by_rule {
                Fate::Measured => request.previous.iter().find(same).map(|earlier| earlier.blocks.clone()),
                _ => None,
            };
            self.lines.push(Line {
                benchmark: reading.benchmark,
                metric: reading.metric,
                blocks: blocks.unwrap_or_default(),
                fate: by_rule,
                item: None,
            });
        }
    }

    fn tell_failures(&self, progress: &dyn Progress) {
        let failed = self.lines.iter().find_map(|line| match &line.fate {
            Fate::Failed { side, message } => Some((side, message)),
            _ => None,
        });
        if let Some((side, message)) = failed {
            let on = side.map_or(String::new(), |side| format!(" on {}", side.as_str()));
            let first = message.lines().next().unwrap_or_default().trim_end_matches(':');
            progress.tell(Event::Note(format!("{} failed{on}: {first}", self.program.name)));
        }
    }

    /// Blocks that were dealt, void ones included.
    pub(super) fn dealt(&self) -> u64 {
        self.lines.iter().map(|line| line.blocks.len() as u64).max().unwrap_or(0)
    }

    /// Whether its next block may be thrown away for what the machine took.
    pub(super) fn may_void(&self) -> bool {
        let longest = self.lines.iter().max_by_key(|line| line.blocks.len());
        longest.is_none_or(|line| {
            let void = line.blocks.iter().filter(|block| block.void.is_some()).count();
            void < line.blocks.len() - void + VOIDS_IN_ADVANCE
        })
    }

    /// Adds a block to the lines for which `wanted` holds. One that a slot says nothing of has failed.
    pub(super) fn push(
        &mut self,
        slots: &[(Side, u32, Taken)],
        void: Option<&VoidReason>,
        wanted: &dyn Fn(&Line) -> bool,
    ) {
        for line in self.lines.iter_mut().filter(|line| line.fate == Fate::Measured && wanted(line)) {
            match values(line, slots) {
                Ok(slots) => line.blocks.push(Block { slots, void: void.cloned() }),
                Err(fate) => line.fate = fate,
            }
        }
    }

    /// Everything that is still measured has failed.
    pub(super) fn fail(&mut self, side: Side, message: &str) {
        for line in self.lines.iter_mut().filter(|line| line.fate == Fate::Measured) {
            line.fate = Fate::Failed { side: Some(side), message: message.to_owned() };
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.lines.iter().any(|line| line.fate == Fate::Measured)
    }
}

/// The first process of a side, and the seconds that it took; the outer error is an interrupt.
type First = Result<Result<(Taken, f64), String>, &'static str>;

fn first(program: &Program, request: &Request<'_>, side: Side, progress: &dyn Progress) -> First {
    let name = &program.name;
    if program.build.is_some() {
        progress.tell(Event::Phase(format!("building {name} of {}", side.as_str())));
        match runner::build(program, &request.site, side) {
            Err(Trouble::Interrupted(signal)) => return Err(signal),
            Err(Trouble::Failed(message)) => return Ok(Err(message)),
            Ok(()) => {}
        }
    }
    progress.tell(Event::Phase(format!("asking {name} of {} for its benchmarks", side.as_str())));
    let started = Instant::now();
    match runner::slot(program, &request.site, side, 0) {
        Err(Trouble::Interrupted(signal)) => Err(signal),
        Err(Trouble::Failed(message)) => Ok(Err(message)),
        Ok(slot) => Ok(Ok((slot, started.elapsed().as_secs_f64()))),
    }
}

/// What stands for a command that told no benchmark.
fn nothing(program: &Program) -> Reading {
    Reading { benchmark: runner::whole(program), metric: Metric::time(), samples: Ok(Vec::new()) }
}

fn failure(side: Side, reading: &Reading) -> Option<Fate> {
    let message = reading.samples.as_ref().err()?.clone();
    Some(Fate::Failed { side: Some(side), message })
}

/// A line's slots of a block.
fn values(line: &Line, slots: &[(Side, u32, Taken)]) -> Result<Vec<Slot>, Fate> {
    let slot = |(side, padding, taken): &(Side, u32, Taken)| {
        let failed = |message: String| Fate::Failed { side: Some(*side), message };
        let reading = taken.readings.iter().find(|reading| line.is(&reading.benchmark, &reading.metric));
        let reading = reading.ok_or_else(|| failed("one of its processes told no value of it".into()))?;
        if reading.metric.unit != line.metric.unit {
            return Err(failed(format!("its unit changed to `{}`", reading.metric.unit)));
        }
        let samples = reading.samples.clone().map_err(failed)?;
        Ok(Slot { side: *side, padding: *padding, samples })
    };
    slots.iter().map(slot).collect()
}

/// All that was measured.
pub(super) fn gathered(courses: &[Course<'_>]) -> Vec<Measurement> {
    let mut measurements: Vec<Measurement> =
        courses.iter().flat_map(|course| &course.lines).map(Line::measurement).collect();
    measurements.sort_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
    measurements
}

/// Whether a line repeats exactly, so that one block says all.
pub(super) fn repeats(line: &Line) -> bool {
    line.metric.nature == Nature::Deterministic
}
