output "bucket" {
  description = "Where data and models are"
  value       = google_storage_bucket.this.url
}
