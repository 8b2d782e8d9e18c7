/**
 * Services that answer for free, as data: what is known of each, where and when it was read. The
 * data is in {@code providers.json}.
 */
@NullMarked
package coop.sahkar.client.catalog;

import org.jspecify.annotations.NullMarked;
