//! What invokes a function.

use crate::prefix::Prefix;
use crate::route::Route;
use crate::schedule::Schedule;

/// What invokes a new function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Requests to a route of the API.
    Route(Route, Access),
    /// Domain events, given by their short or full name.
    Event(String),
    /// A schedule.
    Schedule(Schedule),
    /// Uploads to a bucket.
    Upload(Prefix),
    /// Changes in a table.
    Stream,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Access {
    /// Anyone with a valid token
    Customer,
    /// Callers whose token has the scope for admins
    Admin,
    /// Everyone, also without a token
    None,
}

impl Access {
    /// The name in templates.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
            Self::None => "none",
        }
    }
}

impl Trigger {
    /// The name in templates.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Route(..) => "route",
            Self::Event(_) => "event",
            Self::Schedule(_) => "schedule",
            Self::Upload(_) => "upload",
            Self::Stream => "stream",
        }
    }

    /// The type of the function's event in the template.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Route(..) => "Api",
            Self::Event(_) => "SQS",
            Self::Schedule(_) => "Schedule",
            Self::Upload(_) => "S3",
            Self::Stream => "DynamoDB",
        }
    }

    /// The timeout in seconds; `None` for the default of the template.
    pub(crate) fn timeout(&self) -> Option<u64> {
        match self {
            Self::Route(..) => None,
            Self::Event(_) | Self::Stream => Some(30),
            Self::Schedule(_) | Self::Upload(_) => Some(60),
        }
    }

    /// The ends of the logical ids of the function's resources. The function itself has none.
    pub(crate) fn resources(&self) -> &'static [&'static str] {
        match self {
            Self::Route(..) => &["LogGroup", "Role", ""],
            Self::Event(_) => {
                &["Rule", "Queue", "Dlq", "QueuePolicy", "DlqPolicy", "LogGroup", "Role", "", "QueueUrl", "DlqUrl"]
            }
            Self::Schedule(_) | Self::Upload(_) | Self::Stream => &["Dlq", "LogGroup", "Role", "", "DlqUrl"],
        }
    }
}
