//! The proxy with faults.

use std::io;
use std::net::SocketAddr;

use ferrite_aws_proxy::functions::Functions;
use ferrite_aws_proxy::proxy::Proxy;

use crate::duplicates::Duplicates;
use crate::fault_counts::FaultCounts;
use crate::faults::Plan;
use crate::interceptor::FaultInterceptor;
use crate::mutation::Mutation;
use crate::writes::Write;

/// A proxy that injects faults. It and its connections are gone when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    /// Where it listens: the `AWS_ENDPOINT_URL` of functions.
    pub address: SocketAddr,
    proxy: Proxy<FaultInterceptor>,
}

impl FaultProxy {
    /// Listens on `port` of this machine, or on any free port for 0, and forwards calls to `emulator`. Faults are off.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn open(port: u16, emulator: SocketAddr, plan: Plan) -> io::Result<Self> {
        let proxy = Proxy::open(port, emulator, FaultInterceptor::new(plan)).await?;
        Ok(Self { address: proxy.address, proxy })
    }

    /// Sets the functions, once they have been deployed. Before, callers are counted as unknown, and none of their batches
    /// fails in part, because the remaining part could not be signed.
    pub fn set_functions(&self, functions: Functions) {
        self.proxy.set_functions(functions);
    }

    /// Turns faults on or off. Calls while they are off do not count: the plan continues where it stopped.
    pub fn set_faults(&self, on: bool) {
        self.proxy.interceptor.set_faults(on);
    }

    /// Breaks the system from now on.
    pub fn mutate(&self, mutation: Mutation) {
        self.proxy.interceptor.mutate(mutation);
    }

    /// Keeps the single writes to `table` from now on.
    pub fn watch(&self, table: &str) {
        self.proxy.interceptor.writes.watch(table);
    }

    /// The single writes to the watched table that were carried out, with faults on or off, in order.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.proxy.interceptor.writes.seen()
    }

    /// The faults so far.
    #[must_use]
    pub fn fault_counts(&self) -> FaultCounts {
        self.proxy.interceptor.fault_counts()
    }

    /// The events that were published, with faults on or off.
    #[must_use]
    pub fn duplicates(&self) -> &Duplicates {
        &self.proxy.interceptor.duplicates
    }
}
