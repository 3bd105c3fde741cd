"""The site's addresses, and the one by which pages learn that they must reload."""

from django.urls import include, path

from tertulia.project.urls import urlpatterns as site

urlpatterns = [*site, path("__reload__/", include("django_browser_reload.urls"))]
