package coop.sahkar.client.routing;

import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Profile;

/**
 * A provider with the model it would answer with.
 *
 * @param index its place in the caller's list
 * @param profile what is known of the provider
 * @param offer the model
 */
public record Candidate(int index, Profile profile, Offer offer) {

    /** The pair that rests when it fails. */
    public Pair pair() {
        return new Pair(profile.name(), offer.model());
    }

    /**
     * A provider and one of its models.
     *
     * @param provider the provider's name
     * @param model the model's name there
     */
    public record Pair(String provider, String model) implements Comparable<Pair> {
        @Override
        public int compareTo(Pair other) {
            int byProvider = provider.compareTo(other.provider);
            return byProvider != 0 ? byProvider : model.compareTo(other.model);
        }
    }
}
