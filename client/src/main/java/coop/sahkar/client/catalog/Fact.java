package coop.sahkar.client.catalog;

import java.time.LocalDate;

/**
 * Something said of a provider.
 *
 * @param value what is said
 * @param source where it was read
 * @param date when it was read
 * @param verified whether the source is the provider's own
 * @param note what a reader should know besides; may be empty
 */
public record Fact(String value, String source, LocalDate date, boolean verified, String note) {}
