//! The services: what each operation does, one module a service.
//!
//! An operation gets a [`Call`] (the world, who asks, the validated input) and answers a structure or an error. State lives in the
//! region; what takes time is a [`Timer`].

pub(crate) mod cloudformation;
pub(crate) mod elasticache;
pub(crate) mod event_log;
pub(crate) mod iam;
pub(crate) mod lambda;
pub(crate) mod paging;
pub(crate) mod properties;
pub(crate) mod rds;
pub(crate) mod secret;
pub(crate) mod servicecatalog;
pub(crate) mod sqs;
#[cfg(test)]
pub(crate) mod story;
pub(crate) mod sts;
pub(crate) mod window;

use crate::spec::{Input, Operation, Service};
use crate::time::SimTime;
use crate::world::{Region, Scope, World};

/// One call of one operation.
#[derive(Debug)]
pub struct Call<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) scope: Scope,
    pub(crate) caller: iam::Principal,
    pub(crate) input: Input,
}

impl Call<'_> {
    /// The resources the caller sees.
    pub(crate) fn region(&self) -> &Region {
        self.world.region(&self.scope)
    }

    /// The same, to change them.
    pub(crate) fn region_mut(&mut self) -> &mut Region {
        self.world.region_mut(&self.scope)
    }

    /// Virtual time.
    pub(crate) fn now(&self) -> SimTime {
        self.world.now()
    }
}

/// The operations of `service`.
pub(crate) fn operations(service: Service) -> &'static [Operation] {
    match service {
        Service::ServiceCatalog => servicecatalog::OPERATIONS,
        Service::CloudFormation => cloudformation::OPERATIONS,
        Service::ElastiCache => elasticache::OPERATIONS,
        Service::Rds => rds::OPERATIONS,
        Service::Lambda => lambda::OPERATIONS,
        Service::Sqs => sqs::OPERATIONS,
        Service::Sts => sts::OPERATIONS,
        Service::Iam => iam::OPERATIONS,
    }
}

/// Something that happens by itself at its time.
#[derive(Clone, Debug)]
pub(crate) enum Timer {
    CloudFormation(cloudformation::Timer),
    ServiceCatalog(servicecatalog::Timer),
    ElastiCache(elasticache::Timer),
    Rds(rds::Timer),
    Lambda(lambda::Timer),
    Scenario(crate::scenario::Timer),
}

impl Timer {
    pub(crate) fn fire(self, world: &mut World, scope: &Scope) {
        match self {
            Self::CloudFormation(timer) => cloudformation::fire(world, scope, timer),
            Self::ServiceCatalog(timer) => servicecatalog::fire(world, scope, timer),
            Self::ElastiCache(timer) => elasticache::fire(world, scope, timer),
            Self::Rds(timer) => rds::fire(world, scope, timer),
            Self::Lambda(timer) => lambda::fire(world, scope, timer),
            Self::Scenario(timer) => crate::scenario::fire(world, scope, timer),
        }
    }
}

macro_rules! timers {
    ($($variant:ident: $from:ty,)*) => { $(
        impl From<$from> for Timer {
            fn from(timer: $from) -> Self { Self::$variant(timer) }
        }
    )* };
}

timers! {
    CloudFormation: cloudformation::Timer,
    ServiceCatalog: servicecatalog::Timer,
    ElastiCache: elasticache::Timer,
    Rds: rds::Timer,
    Lambda: lambda::Timer,
    Scenario: crate::scenario::Timer,
}
