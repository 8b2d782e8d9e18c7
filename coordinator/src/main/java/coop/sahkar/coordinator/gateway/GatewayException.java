package coop.sahkar.coordinator.gateway;

/** The gateway cannot start; the message is a sentence for the operator. */
public final class GatewayException extends RuntimeException {
    public GatewayException(String message, Throwable cause) {
        super(message, cause);
    }
}
