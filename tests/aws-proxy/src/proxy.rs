//! The server that functions take for AWS.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::duplicates::Duplicates;
use crate::faults::Plan;
use crate::functions::Functions;
use crate::kill::Connection;
use crate::record::{Need, Times};
use crate::sabotage::Sabotage;
use crate::tally::Tally;
use crate::way::{Way, lock};
use crate::writes::Write;

/// A proxy on a port of its own. It and its connections are gone when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens: what functions have as `AWS_ENDPOINT_URL`.
    pub address: SocketAddr,
    way: Arc<Way>,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Listens on `port` of this machine, any that is free for 0, and hands calls on to `emulator`. Faults are off.
    ///
    /// # Errors
    /// When the port is not to be had.
    pub async fn open(port: u16, emulator: SocketAddr, plan: Plan) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let way = Arc::new(Way::to(emulator, plan)?);
        let server = tokio::spawn(serve(listener, address, Arc::clone(&way)));
        Ok(Self { address, way, server })
    }

    /// Says which functions there are, once they have been deployed. Who calls is counted as unknown before, and no batch
    /// of an unknown caller's fails in part, since it would have to be signed again.
    pub fn introduce(&self, functions: Functions) {
        *lock(&self.way.functions) = Arc::new(functions);
    }

    /// Turns faults on or off. Calls that come while they are off do not count: the next one goes on in the plan where
    /// the last one left off.
    pub fn faults(&self, on: bool) {
        self.way.faults_on.store(on, Ordering::Relaxed);
    }

    /// Breaks what the system relies on, from now on.
    pub fn sabotage(&self, sabotage: Sabotage) {
        *lock(&self.way.sabotage) = Some(sabotage);
    }

    /// Keeps the single writes to `table` from now on.
    pub fn watch(&self, table: &str) {
        self.way.writes.watch(table);
    }

    /// The single writes to the table that is watched which were carried out, with faults on or off, in their order.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.way.writes.seen()
    }

    /// What has happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        lock(&self.way.tally).clone()
    }

    /// What was asked of the emulator and by whom, with faults on or off, since the proxy was opened or last forgot it.
    #[must_use]
    pub fn record(&self) -> BTreeMap<Need, Times> {
        self.way.record.seen()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.way.record.forget();
    }

    /// The events that got through, with faults on or off.
    #[must_use]
    pub fn duplicates(&self) -> &Duplicates {
        &self.way.duplicates
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, proxy: SocketAddr, way: Arc<Way>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, function)) = listener.accept().await {
        // Nagle's algorithm would be one more delay.
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let (way, connection) = (Arc::clone(&way), Connection { function, proxy });
        let service = service_fn(move |request| Arc::clone(&way).receive(connection, request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
