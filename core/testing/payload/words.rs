//! The vocabulary of the made-up shop whose telemetry the payload is.

pub(super) const SERVICES: [&str; 10] =
    ["frontend", "cart", "checkout", "payment", "catalogue", "inventory", "shipping", "recommendation", "account", "notification"];

pub(super) const SCOPES: [&str; 2] = ["io.opentelemetry.tomcat-10.0", "io.opentelemetry.jdbc"];

pub(super) const NOUNS: [&str; 16] = [
    "order", "item", "basket", "customer", "voucher", "parcel", "refund", "invoice", "price", "stock", "review", "address", "session",
    "device", "tenant", "campaign",
];

pub(super) const METHODS: [&str; 6] = ["GET", "GET", "GET", "POST", "PUT", "DELETE"];

pub(super) const ACTIONS: [&str; 8] = ["items", "status", "history", "totals", "reserve", "confirm", "labels", "quote"];

pub(super) const AGENTS: [&str; 6] = [
    "okhttp/5.1.0",
    "Java-http-client/21.0.5",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1)",
    "python-requests/2.32.3",
    "Apache-HttpClient/5.4",
    "shop-app/8.14.2 (Android 15)",
];

pub(super) const COLUMNS: [&str; 12] =
    ["id", "state", "created_at", "updated_at", "amount", "currency", "customer_id", "quantity", "sku", "region", "channel", "note"];

pub(super) const EXCEPTIONS: [(&str, &str); 4] = [
    ("java.net.SocketTimeoutException", "Read timed out"),
    ("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after 30000ms."),
    ("java.lang.IllegalStateException", "Reservation is already confirmed"),
    ("com.shop.payment.DeclinedException", "Card declined by issuer: insufficient funds"),
];

/// The name of the service that a resource is an instance of: ten names, then numbered ones.
pub(super) fn service(index: usize) -> String {
    let name = SERVICES[index % SERVICES.len()];
    if index < SERVICES.len() { name.to_owned() } else { format!("{name}-{}", index / SERVICES.len()) }
}
