//! The HTTP server: health, metrics, API and page. Decides nothing.
