//! HTTP/2 connections that the requests of one worker share: a new one is opened only when the streams of all others are taken.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::sync::{Notify, OnceCell};

use crate::load::http::{
    fault::Fault,
    target::Target,
    wire::{Http2, Wire},
};

/// Requests at a time on one connection, unless the server allows fewer.
pub(crate) const STREAMS: usize = 100;

/// One connection, or one that is being opened.
#[derive(Debug, Default)]
struct Shared {
    sender: OnceCell<Result<Http2, Fault>>,
    streams: Cell<usize>,
}

impl Shared {
    fn room(&self) -> bool {
        let most = match self.sender.get() {
            Some(Ok(sender)) if sender.is_closed() => 0,
            Some(Ok(sender)) => sender.streams().min(STREAMS),
            Some(Err(_)) => 0,
            None => STREAMS,
        };
        self.streams.get() < most
    }

    fn is_dead(&self) -> bool {
        match self.sender.get() {
            Some(Ok(sender)) => sender.is_closed(),
            Some(Err(_)) => true,
            None => false,
        }
    }
}

/// The connections of one worker.
#[derive(Debug)]
pub(crate) struct Pool {
    open: RefCell<Vec<Rc<Shared>>>,
    most: usize,
    freed: Notify,
}

/// A stream of a connection; giving it back is dropping it.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Rc<Shared>,
    pool: Rc<Pool>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.streams.set(self.shared.streams.get() - 1);
        self.pool.freed.notify_one();
    }
}

impl Pool {
    /// At most so many connections.
    pub(crate) fn new(most: usize) -> Self {
        Self { open: RefCell::default(), most: most.max(1), freed: Notify::new() }
    }

    /// Waits for room on a connection.
    pub(crate) async fn stream(self: &Rc<Self>) -> Stream {
        loop {
            if let Some(shared) = self.find() {
                shared.streams.set(shared.streams.get() + 1);
                return Stream { shared, pool: Rc::clone(self) };
            }
            self.freed.notified().await;
        }
    }

    fn find(&self) -> Option<Rc<Shared>> {
        let mut open = self.open.borrow_mut();
        open.retain(|shared| !shared.is_dead());
        let free = open.iter().filter(|shared| shared.room()).min_by_key(|shared| shared.streams.get());
        if let Some(shared) = free {
            return Some(Rc::clone(shared));
        }
        (open.len() < self.most).then(|| {
            let shared = Rc::<Shared>::default();
            open.push(Rc::clone(&shared));
            shared
        })
    }
}

impl Stream {
    /// Whether its connection was open already.
    pub(crate) fn is_open(&self) -> bool {
        self.shared.sender.initialized()
    }

    /// The connection, opened if nobody did yet; who comes meanwhile waits for the same one.
    pub(crate) async fn wire(&self, target: &Target) -> Result<Wire, Fault> {
        let open = || async {
            match Wire::open(target).await? {
                Wire::Http2(sender) => Ok(sender),
                Wire::Http1(_) => Err(Fault::of(crate::model::load::ErrorKind::Protocol)),
            }
        };
        self.shared.sender.get_or_init(open).await.clone().map(Wire::Http2)
    }
}
