//! The shell: gathers facts from AWS and executes plans.
