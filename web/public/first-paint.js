// Sets theme, language and direction before the first paint, so that nothing flashes. A file of its own because the
// content security policy allows no inline script. The keys are those of src/composables/useTheme.ts and src/i18n.ts.
(function () {
  var root = document.documentElement
  try {
    var theme = localStorage.getItem('magpie.theme')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    var language = localStorage.getItem('magpie.language') || (navigator.language || 'en').slice(0, 2)
    if (language === 'de' || language === 'fa') root.lang = language
    if (language === 'fa') root.dir = 'rtl'
  } catch (e) {
    // Storage may be forbidden; the defaults are fine then.
  }
})()
