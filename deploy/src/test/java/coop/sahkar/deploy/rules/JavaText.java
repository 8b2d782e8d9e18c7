package coop.sahkar.deploy.rules;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Looks at Java text that the formatter has laid out: finds methods by their braces, hides strings.
 */
final class JavaText {
    /** A method found. */
    record Method(String name, int line, int lines) {}

    private static final String STRINGS =
            "\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])+'";
    private static final Pattern STRING = Pattern.compile(STRINGS, Pattern.DOTALL);
    private static final Pattern NOT_CODE =
            Pattern.compile(STRINGS + "|//[^\\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern TYPE =
            Pattern.compile("\\b(class|interface|enum|record|@interface)\\s+\\w+");
    private static final Pattern CALLABLE = Pattern.compile("([\\w.<>]+)\\s*\\(");

    private JavaText() {}

    /**
     * Methods and constructors: a brace that opens right below a type and has parentheses before
     * it.
     */
    static List<Method> methods(String source) {
        String code = blank(source);
        List<Method> methods = new ArrayList<>();
        List<Boolean> typeAtDepth = new ArrayList<>();
        List<Integer> openedAt = new ArrayList<>();
        List<String> heads = new ArrayList<>();
        int headStart = 0;
        int line = 1;
        for (int i = 0; i < code.length(); i++) {
            char c = code.charAt(i);
            if (c == '\n') {
                line++;
            } else if (c == ';') {
                headStart = i + 1;
            } else if (c == '{') {
                String head = code.substring(headStart, i);
                heads.add(head);
                typeAtDepth.add(TYPE.matcher(head).find());
                openedAt.add(line);
                headStart = i + 1;
            } else if (c == '}' && !heads.isEmpty()) {
                String head = heads.removeLast();
                boolean isType = typeAtDepth.removeLast();
                int opened = openedAt.removeLast();
                boolean inType = !typeAtDepth.isEmpty() && typeAtDepth.getLast();
                var named = CALLABLE.matcher(head);
                if (!isType && inType && !head.contains("=") && named.find()) {
                    methods.add(new Method(named.group(1), opened, line - opened + 1));
                }
                headStart = i + 1;
            }
        }
        return methods;
    }

    /** The same lines without what stands in quotes: a sentence may stay in one piece. */
    static String withoutStrings(String source) {
        return STRING.matcher(source).replaceAll(found -> found.group().replaceAll("[^\\n]", ""));
    }

    /** The same text with blanks for comments, strings and characters. */
    private static String blank(String source) {
        return NOT_CODE.matcher(source)
                .replaceAll(found -> found.group().replaceAll("[^\\n]", " "));
    }
}
