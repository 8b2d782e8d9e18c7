package coop.sahkar.coordinator.gateway;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Typed access to a request's fields; null counts as absent. A wrong type throws {@link
 * RefusedRequest} with the field's name.
 */
final class Fields {
    /** Doubles hold every integer up to this exactly. */
    private static final double EXACT_INTEGERS = 1L << 53;

    private final ObjectNode object;

    Fields(ObjectNode object) {
        this.object = object;
    }

    /** The field as it stands, or null if it is absent or null. */
    @Nullable JsonNode get(String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    boolean has(String name) {
        return get(name) != null;
    }

    /** Text, or null. */
    @Nullable String text(String name) {
        JsonNode node = get(name);
        return node == null ? null : text(node, name);
    }

    /** A node that must be text. */
    static String text(JsonNode node, String name) {
        if (!node.isString()) {
            throw new RefusedRequest(name, name + " must be a string.");
        }
        String text = node.stringValue();
        if (hasLoneSurrogate(text)) {
            throw new RefusedRequest(
                    name, name + " is not valid Unicode: it holds half a surrogate pair.");
        }
        return text;
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isHighSurrogate(unit)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(unit)) {
                return true;
            }
        }
        return false;
    }

    boolean flag(String name) {
        return flag(name, false);
    }

    /** Whether a field is true. */
    boolean flag(String name, boolean absent) {
        JsonNode node = get(name);
        if (node == null) {
            return absent;
        }
        if (!node.isBoolean()) {
            throw new RefusedRequest(name, name + " must be true or false.");
        }
        return node.booleanValue();
    }

    /** A number, finite. */
    OptionalDouble number(String name) {
        JsonNode node = get(name);
        return node == null ? OptionalDouble.empty() : OptionalDouble.of(number(node, name));
    }

    /** A node that must be a finite number. */
    static double number(JsonNode node, String name) {
        double value = node.isNumber() ? node.asDouble(Double.NaN) : Double.NaN;
        if (!Double.isFinite(value)) {
            throw new RefusedRequest(name, name + " must be a number.");
        }
        return value;
    }

    /** A whole number from {@code low} to {@code high}. */
    OptionalLong whole(String field, long low, long high) {
        return whole(field, field, low, high);
    }

    /** The same for a field that is called otherwise in what is refused. */
    OptionalLong whole(String field, String name, long low, long high) {
        JsonNode node = get(field);
        if (node == null) {
            return OptionalLong.empty();
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return OptionalLong.of(bounded(node.longValue(), name, low, high));
        }
        double value = node.isNumber() ? node.asDouble(Double.NaN) : Double.NaN;
        if (value != Math.rint(value) || Math.abs(value) > EXACT_INTEGERS) {
            throw notWhole(name, low, high);
        }
        return OptionalLong.of(bounded((long) value, name, low, high));
    }

    private static long bounded(long value, String name, long low, long high) {
        if (value < low || value > high) {
            throw notWhole(name, low, high);
        }
        return value;
    }

    private static RefusedRequest notWhole(String name, long low, long high) {
        return new RefusedRequest(
                name, "%s must be a whole number from %d to %d.".formatted(name, low, high));
    }

    /** An object, or null. */
    @Nullable Fields inner(String name) {
        JsonNode node = get(name);
        if (node == null) {
            return null;
        }
        if (node instanceof ObjectNode inner) {
            return new Fields(inner);
        }
        throw new RefusedRequest(name, name + " must be an object.");
    }

    ObjectNode object() {
        return object;
    }
}
