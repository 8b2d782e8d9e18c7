package coop.sahkar.deploy.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns {@code -v} and {@code -vv} into log levels, and keeps a log file for what runs long. */
final class Logging {
    private static final String OURS = "coop.sahkar";
    private static final FileSize LARGEST_FILE = FileSize.valueOf("10 MB");
    private static final int OLD_FILES = 3;

    private static volatile int verbosity;

    private Logging() {}

    /**
     * @param count how often {@code -v} was given: 0 warnings, 1 what happens, 2 everything
     */
    static void verbosity(int count) {
        verbosity = count;
        // Libraries that know only the JDK's own logging: on stderr too, and as quiet.
        java.util.logging.Logger.getLogger("")
                .setLevel(
                        count > 1 ? java.util.logging.Level.INFO : java.util.logging.Level.SEVERE);
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.getLogger(OURS).setLevel(level(count));
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(count > 1 ? Level.INFO : Level.WARN);
        for (String noisy : new String[] {"org.apache.ratis", "com.linecorp.armeria"}) {
            context.getLogger(noisy).setLevel(count > 1 ? Level.INFO : Level.ERROR);
        }
    }

    static boolean stackTraces() {
        return verbosity > 1;
    }

    /** Keeps what happens in {@code folder/name.log} too, and its last few predecessors. */
    static void alsoTo(Path folder, String name) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Level shown = level(verbosity);
        Appender<ILoggingEvent> console =
                context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender(QuietLogging.CONSOLE);
        if (console != null) {
            ThresholdFilter onlyShown = new ThresholdFilter();
            onlyShown.setLevel(shown.toString());
            onlyShown.start();
            console.addFilter(onlyShown);
        }
        if (shown.isGreaterOrEqual(Level.INFO)) {
            context.getLogger(OURS).setLevel(Level.INFO);
        }
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(file(context, folder, name));
    }

    private static Appender<ILoggingEvent> file(LoggerContext context, Path folder, String name) {
        PatternLayoutEncoder lines = new PatternLayoutEncoder();
        lines.setContext(context);
        lines.setPattern("%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level [%thread] %logger{0}: %msg%n");
        lines.start();
        RollingFileAppender<ILoggingEvent> file = new RollingFileAppender<>();
        file.setContext(context);
        file.setName("file");
        file.setFile(folder.resolve(name + ".log").toString());
        file.setEncoder(lines);
        FixedWindowRollingPolicy names = new FixedWindowRollingPolicy();
        names.setContext(context);
        names.setParent(file);
        names.setFileNamePattern(folder.resolve(name + ".%i.log").toString());
        names.setMaxIndex(OLD_FILES);
        names.start();
        SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
        size.setContext(context);
        size.setMaxFileSize(LARGEST_FILE);
        size.start();
        file.setRollingPolicy(names);
        file.setTriggeringPolicy(size);
        file.start();
        return file;
    }

    private static Level level(int count) {
        return count <= 0 ? Level.WARN : count == 1 ? Level.INFO : Level.DEBUG;
    }
}
