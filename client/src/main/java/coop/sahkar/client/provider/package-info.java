/**
 * What a service that answers looks like to the client: {@link
 * coop.sahkar.client.provider.Provider} and the values it takes and gives. Implement it to add a
 * service that speaks neither the pool's protocol nor OpenAI's nor Anthropic's.
 */
@NullMarked
package coop.sahkar.client.provider;

import org.jspecify.annotations.NullMarked;
