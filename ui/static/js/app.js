// The pages work without this file; it makes them pleasant. Each module looks for what it knows (data-... and class names of the
// templates) in the part of the page it is given, so that parts that arrive later are treated the same.
import { onPart } from "./part.js";
import { startBell } from "./bell.js";
import { startComment } from "./comment.js";
import { startConsent } from "./consent.js";
import { startCopy } from "./copy.js";
import { startDates } from "./dates.js";
import { startFacts } from "./facts.js";
import { startForms } from "./forms.js";
import { startKinds } from "./kinds.js";
import { startKeyboard } from "./keyboard.js";
import { startLevels } from "./levels.js";
import { startLines } from "./lines.js";
import { startList } from "./list.js";
import { startLive } from "./live.js";
import { startLookup } from "./lookup.js";
import { startMenus } from "./menus.js";
import { startMore } from "./more.js";
import { startOrder } from "./order.js";
import { startPalette } from "./palette.js";
import { startPoll } from "./poll.js";
import { startReminders } from "./reminders.js";
import { startRibbon } from "./ribbon.js";
import { startSankey } from "./sankey.js";
import { startStory } from "./story.js";
import { startStream } from "./stream.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startTokens } from "./tokens.js";
import { startUploads } from "./uploads.js";
import { startViewer } from "./viewer.js";

const pieces = [startComment, startCopy, startDates, startLookup, startTokens, startForms, startKinds, startUploads, startLevels, startLines, startList, startMore, startOrder, startPoll, startTimes, startRibbon, startSankey];

function enhance(root) {
  for (const piece of pieces) piece(root);
}

document.documentElement.classList.add("js");
onPart(enhance);
startMenus();
startFacts();
startKeyboard();
startPalette();
startConsent();
startTheme();
startViewer();
enhance(document);
startLive();
startReminders();
startStory();
startBell();
startStream();
