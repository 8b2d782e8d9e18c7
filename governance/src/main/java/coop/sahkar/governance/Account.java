package coop.sahkar.governance;

/**
 * Somebody who may ask for answers.
 *
 * @param id for ever; the name may change
 * @param name what people call it: letters, digits, dot, dash, underscore, @
 * @param role what it may do beside asking
 * @param tier name of the tier whose limits it is held to
 * @param createdAtMillis Unix time
 */
public record Account(String id, String name, Role role, String tier, long createdAtMillis) {
    /** What a name may be. */
    public static final String NAME = "[A-Za-z0-9][A-Za-z0-9._@-]{0,63}";

    /** The co-operative's own, which nobody else may be called. */
    public static final String COMMONS = "commons";
}
