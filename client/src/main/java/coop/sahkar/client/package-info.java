/**
 * The Java library: {@link coop.sahkar.client.InferenceClient} is the door; everything else here is
 * a value it takes or gives, or the thread work behind it. Who is asked next is decided in {@code
 * routing}; {@code pool} and {@code http} speak with services; {@code catalog} knows free ones.
 */
@NullMarked
package coop.sahkar.client;

import org.jspecify.annotations.NullMarked;
