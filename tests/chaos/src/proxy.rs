//! The proxy that injects faults.

use std::io;
use std::net::SocketAddr;

use ferrite_aws_proxy::functions::Functions;
use ferrite_aws_proxy::proxy::Proxy;

use crate::duplicates::Duplicates;
use crate::fault_counts::FaultCounts;
use crate::faults::FaultPlan;
use crate::interceptor::FaultInterceptor;
use crate::mutation::Mutation;
use crate::writes::Write;

/// A proxy that injects faults. Dropping it stops the server and closes its connections.
#[derive(Debug)]
pub struct FaultProxy {
    /// Address of the server: the `AWS_ENDPOINT_URL` of functions.
    pub address: SocketAddr,
    proxy: Proxy<FaultInterceptor>,
}

impl FaultProxy {
    /// Starts a proxy in front of `emulator` on `port` of the loopback interface. Port 0 selects a free port. Faults
    /// are off.
    ///
    /// # Errors
    /// Returns an error if the port is not available.
    pub async fn open(port: u16, emulator: SocketAddr, plan: FaultPlan) -> io::Result<Self> {
        let proxy = Proxy::open(port, emulator, FaultInterceptor::new(plan)).await?;
        Ok(Self { address: proxy.address, proxy })
    }

    /// Sets the deployed functions. Before that, callers are counted as `unknown`, and partial batch failures are not
    /// injected, because the changed requests could not be signed.
    pub fn set_functions(&self, functions: Functions) {
        self.proxy.set_functions(functions);
    }

    /// Turns faults on or off. Calls while faults are off are not counted: the plan resumes where it stopped.
    pub fn set_faults(&self, on: bool) {
        self.proxy.interceptor.set_faults(on);
    }

    /// Applies a mutation to all calls from now on.
    pub fn mutate(&self, mutation: Mutation) {
        self.proxy.interceptor.mutate(mutation);
    }

    /// Records the single writes to `table` from now on.
    pub fn watch(&self, table: &str) {
        self.proxy.interceptor.writes.watch(table);
    }

    /// Returns the recorded writes to the watched table in order, including those made while faults were off.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.proxy.interceptor.writes.recorded()
    }

    /// Returns the counts of the faults injected so far.
    #[must_use]
    pub fn fault_counts(&self) -> FaultCounts {
        self.proxy.interceptor.fault_counts()
    }

    /// Returns the published events, including those published while faults were off.
    #[must_use]
    pub fn duplicates(&self) -> &Duplicates {
        &self.proxy.interceptor.duplicates
    }
}
