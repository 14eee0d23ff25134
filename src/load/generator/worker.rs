//! The pacer of one thread: hands requests on when they are due, sends the seconds to whoever looks on, ends the trial.
//!
//! All tasks of a worker run on its one thread, so what they share needs no lock.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, atomic::Ordering, mpsc},
    task::Waker,
};

use super::{
    course::Course,
    desk::{Desk, Job},
    lane,
    pool::Pool,
    seconds::Stretch,
    self_check::Shortages,
    timetable::Timetable,
    users::Users,
};
use crate::load::{
    alarm::Alarm,
    clock,
    http::{fault::Shortage, target::Target},
    recorder::{Moments, Recorded, Recorder, Slice},
    script::Script,
};

/// A request that is handed on later than this after the window's end was not sent as intended, nanoseconds.
const LATE: u64 = 10_000_000;

/// Lanes that are opened before answers are looked for again: opening their connections takes a millisecond or less.
const LANES_AT_ONCE: usize = 8;

/// Where a worker's flows come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The open loop.
    Rate(Box<Desk>),
    /// The closed loop.
    Users(Users),
}

/// A flow that a lane shall start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) job: Job,
    /// From when on it waits for a connection.
    pub(crate) handed: u64,
}

/// What others see of a lane.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Its place among the lanes; in the closed loop also its user.
    pub(crate) place: usize,
    /// What it shall start next.
    pub(crate) start: Cell<Option<Start>>,
    /// The request under way and its endpoint.
    pub(crate) flight: Cell<Option<(usize, Moments)>>,
    /// When that must have ended.
    pub(crate) deadline: Cell<Option<u64>>,
    /// That it has not.
    pub(crate) overdue: Cell<bool>,
    /// Its task.
    pub(crate) waker: RefCell<Option<Waker>>,
}

impl Slot {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// A message to whoever looks on: a stretch of the trial, over.
pub(crate) type Message = (Stretch, Box<Slice>);

/// What a worker hands back.
#[derive(Debug)]
pub(crate) struct Yield {
    pub(crate) recorded: Recorded,
    pub(crate) shortages: Shortages,
    /// Share of a processor that it used over the window.
    pub(crate) cpu: f64,
    /// When its window ended.
    pub(crate) window_end: u64,
}

/// The ways to the one who looks on, and back.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) out: mpsc::Sender<Message>,
    pub(crate) spent: mpsc::Receiver<Box<Slice>>,
}

/// One worker.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) course: Arc<Course>,
    pub(crate) target: Arc<Target>,
    pub(crate) script: Arc<Script>,
    pub(crate) recorder: RefCell<Recorder>,
    /// Shared connections; `None` where every lane has its own.
    pub(crate) pool: Option<Rc<Pool>>,
    source: RefCell<Source>,
    slots: RefCell<Vec<Rc<Slot>>>,
    idle: RefCell<Vec<Rc<Slot>>>,
    most_lanes: usize,
    flying: Cell<u64>,
    /// Whether the window is over.
    pub(crate) ended: Cell<bool>,
    shortages: Cell<Shortages>,
    alarm: Alarm,
}

/// What a worker is made of, for [`Worker::new`].
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) course: Arc<Course>,
    pub(crate) target: Arc<Target>,
    pub(crate) script: Arc<Script>,
    pub(crate) source: Source,
    pub(crate) most_lanes: usize,
    pub(crate) most_shared: Option<usize>,
}

impl Worker {
    /// A worker; must be made within its runtime.
    pub(crate) fn new(parts: Parts) -> std::io::Result<Rc<Self>> {
        let Parts { course, target, script, source, most_lanes, most_shared } = parts;
        Ok(Rc::new(Self {
            recorder: RefCell::new(Recorder::new(course.window_start, script.endpoints().len())),
            pool: most_shared.map(|most| Rc::new(Pool::new(most))),
            source: RefCell::new(source),
            slots: RefCell::default(),
            idle: RefCell::default(),
            most_lanes: most_lanes.max(1),
            flying: Cell::new(0),
            ended: Cell::new(false),
            shortages: Cell::default(),
            alarm: Alarm::new()?,
            course,
            target,
            script,
        }))
    }

    pub(crate) fn now(&self) -> u64 {
        self.course.at(clock::now())
    }

    /// A lane has begun a request.
    pub(crate) fn took_off(&self) {
        self.flying.set(self.flying.get() + 1);
        self.course.took_off();
    }

    /// A lane has ended a request.
    pub(crate) fn landed(&self) {
        self.flying.set(self.flying.get() - 1);
        self.course.landed();
        if self.ended.get() && self.flying.get() == 0 {
            self.alarm.set(0, 0);
        }
    }

    /// A connection failed because this machine lacked something.
    pub(crate) fn lacked(&self, shortage: Shortage) {
        let mut shortages = self.shortages.get();
        match shortage {
            Shortage::Ports => shortages.ports += 1,
            Shortage::Descriptors => shortages.descriptors += 1,
        }
        self.shortages.set(shortages);
    }

    /// A lane's flow is over: what it shall start now, if anything.
    pub(crate) fn freed(&self, slot: &Rc<Slot>, refused: bool) -> Option<Start> {
        match &mut *self.source.borrow_mut() {
            Source::Rate(desk) => {
                let job = desk.take();
                if job.is_none() {
                    self.idle.borrow_mut().push(Rc::clone(slot));
                }
                job.map(|job| Start { job, handed: job.due })
            }
            Source::Users(users) => {
                let now = self.now();
                if now >= self.course.window_end {
                    return None;
                }
                let Some(due) = users.ended(slot.place, now, refused) else {
                    if let Some(next) = users.next_due() {
                        self.alarm.set(next, now);
                    }
                    return None;
                };
                let number = users.next_session();
                self.recorder.borrow_mut().scheduled(due, None);
                Some(Start { job: Job { number, due }, handed: due })
            }
        }
    }

    /// Hands on what is due by `now`; returns how much of it should have been long ago.
    fn release(self: &Rc<Self>, now: u64) -> u64 {
        let mut late = 0;
        loop {
            let (due, user) = match &mut *self.source.borrow_mut() {
                Source::Rate(desk) => match desk.release(now) {
                    Some(due) => (due, None),
                    None => break,
                },
                Source::Users(users) => match users.release(now) {
                    Some((user, due)) => {
                        let job = Job { number: users.next_session(), due };
                        (due, Some((user, job)))
                    }
                    None => break,
                },
            };
            late += u64::from(now.saturating_sub(due) > LATE);
            self.recorder.borrow_mut().scheduled(due, Some(now.saturating_sub(due)));
            match user {
                None => self.hand_on(now),
                Some((user, job)) => self.begin(&self.lane(user), Start { job, handed: now }),
            }
        }
        late
    }

    /// Gives the request that waits longest to a free lane, if there is one.
    fn hand_on(&self, now: u64) {
        let Some(idle) = self.idle.borrow_mut().pop() else { return };
        match self.take() {
            Some(job) => self.begin(&idle, Start { job, handed: now }),
            None => self.idle.borrow_mut().push(idle),
        }
    }

    fn take(&self) -> Option<Job> {
        match &mut *self.source.borrow_mut() {
            Source::Rate(desk) => desk.take(),
            Source::Users(_) => None,
        }
    }

    /// Whether a request waits for whom a lane may be opened.
    fn wants_lanes(&self) -> bool {
        self.waiting() > 0 && self.slots.borrow().len() < self.most_lanes
    }

    /// Opens lanes for requests that wait, a few at a time.
    ///
    /// Answers that have come meanwhile are read first: they free lanes. Else a pacer that was kept from its processor for a moment would open a
    /// connection for everything that is due by then, which takes longer than to ask, so that it would never catch up.
    async fn widen(self: &Rc<Self>) {
        // The runtime looks at its sockets before it comes back here; the second time, what those woke has run.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        for _ in 0..LANES_AT_ONCE {
            let lanes = self.slots.borrow().len();
            if lanes >= self.most_lanes {
                return;
            }
            let Some(job) = self.take() else { return };
            self.begin(&self.lane(lanes), Start { job, handed: job.due });
        }
    }

    fn begin(&self, slot: &Slot, start: Start) {
        slot.start.set(Some(start));
        slot.wake();
    }

    /// The lane at `place`, opened if it is not.
    fn lane(self: &Rc<Self>, place: usize) -> Rc<Slot> {
        loop {
            let mut slots = self.slots.borrow_mut();
            if let Some(slot) = slots.get(place) {
                return Rc::clone(slot);
            }
            let slot = Rc::new(Slot { place: slots.len(), ..Slot::default() });
            slots.push(Rc::clone(&slot));
            tokio::task::spawn_local(lane::run(Rc::clone(self), slot));
        }
    }

    /// Runs the trial to its end.
    pub(crate) async fn pace(self: Rc<Self>, lines: &Lines) -> Yield {
        let course = Arc::clone(&self.course);
        let mut timetable = Timetable::new(&course);
        let mut deadline = u64::MAX;
        let mut window_end = course.window_end;
        self.await_origin().await;
        loop {
            let now = self.now();
            timetable.cpu_at(now);
            let aborted = course.abort.load(Ordering::Relaxed);
            if !self.ended.get() {
                let stopped = aborted || course.stop.load(Ordering::Relaxed);
                if stopped {
                    window_end = window_end.min(now.max(course.window_start));
                }
                let late = self.release(now.min(window_end));
                if stopped || now >= window_end {
                    self.end_window(late);
                    timetable.cpu_end(now);
                    deadline = window_end.saturating_add(course.drain);
                }
            }
            timetable.turn(now.min(window_end), self.ended.get(), |stretch| self.send(lines, stretch));
            if aborted || self.ended.get() && (now >= deadline || self.is_done()) {
                return self.finish(now, window_end, timetable.cpu());
            }
            if timetable.wants_sweep(now) {
                self.sweep(now);
            }
            if self.wants_lanes() {
                self.widen().await;
                continue;
            }
            let due = self.next_due().filter(|_| !self.ended.get());
            let end = if self.ended.get() { deadline } else { window_end.min(timetable.next_turn()) };
            let due = due.map_or(u64::MAX, |due| timetable.wake_for(due, now));
            self.alarm.set(due.min(end).min(timetable.next_sweep()), self.now());
            self.alarm.wait().await;
        }
    }

    /// Before the origin every moment counts as 0: nothing may happen yet.
    async fn await_origin(&self) {
        loop {
            let left = self.course.origin.saturating_duration_since(clock::now());
            if left.is_zero() {
                return;
            }
            self.alarm.set(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX), 0);
            self.alarm.wait().await;
        }
    }

    fn next_due(&self) -> Option<u64> {
        match &*self.source.borrow() {
            Source::Rate(desk) => desk.next_due(),
            Source::Users(users) => users.next_due(),
        }
    }

    fn waiting(&self) -> u64 {
        match &*self.source.borrow() {
            Source::Rate(desk) => desk.waiting(),
            Source::Users(_) => 0,
        }
    }

    /// Nothing is under way and nothing waits, started lanes included.
    fn is_done(&self) -> bool {
        self.flying.get() == 0
            && self.waiting() == 0
            && self.slots.borrow().iter().all(|slot| slot.start.get().is_none())
    }

    fn end_window(&self, late: u64) {
        self.ended.set(true);
        match &mut *self.source.borrow_mut() {
            Source::Rate(desk) => {
                desk.close();
                self.recorder.borrow_mut().late(late);
            }
            Source::Users(users) => users.close(),
        }
    }

    /// Tells every lane whose request has run out of time.
    fn sweep(&self, now: u64) {
        for slot in &*self.slots.borrow() {
            if slot.deadline.get().is_some_and(|deadline| now >= deadline) {
                slot.deadline.set(None);
                slot.overdue.set(true);
                slot.wake();
            }
        }
    }

    fn send(&self, lines: &Lines, stretch: Stretch) {
        let empty = lines.spent.try_recv().map_or_else(
            |_| Box::default(),
            |mut slice| {
                slice.clear();
                slice
            },
        );
        let mut slice = self.recorder.borrow_mut().turn(empty);
        slice.in_flight = self.flying.get();
        slice.backlog = self.waiting();
        // Who looks on may be gone already; the trial goes on.
        let _ = lines.out.send((stretch, slice));
    }

    /// Counts what is left as unfinished.
    fn finish(&self, now: u64, window_end: u64, cpu: f64) -> Yield {
        let mut recorder = self.recorder.borrow_mut();
        for slot in &*self.slots.borrow() {
            if let Some((endpoint, moments)) = slot.flight.take() {
                recorder.unfinished(endpoint, &moments, now);
            } else if let Some(Start { job, handed }) = slot.start.take() {
                let moments = Moments { due: job.due, handed, ..Moments::default() };
                recorder.unfinished(self.endpoint(job), &moments, now);
            }
        }
        if let Source::Rate(desk) = &mut *self.source.borrow_mut() {
            while let Some(job) = desk.take() {
                let moments = Moments { due: job.due, handed: job.due, ..Moments::default() };
                recorder.unfinished(self.endpoint(job), &moments, now);
            }
        }
        let empty = Recorder::new(self.course.window_start, 1);
        let recorded = std::mem::replace(&mut *recorder, empty).finish();
        Yield { recorded, shortages: self.shortages.get(), cpu, window_end }
    }

    /// The first endpoint that a session would have asked.
    fn endpoint(&self, job: Job) -> usize {
        if self.script.endpoints().len() < 2 {
            return 0;
        }
        self.script.session(job.number).next().map_or(0, |prepared| prepared.endpoint)
    }
}
